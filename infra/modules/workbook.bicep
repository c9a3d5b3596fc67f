// One page in the portal: freshness of the fleet, results of swaps, downtime, failures and their reasons.

param location string
param tags { *: string }
@description('Full id of the workspace that the app logs to.')
param workspaceId string

var title = 'VM refresh'
var parts = [
  { title: 'Waiting for a person', query: loadTextContent('../kql/needs-attention.kql'), visual: 'table' }
  { title: 'Fleet freshness', query: loadTextContent('../kql/fleet-freshness.kql'), visual: 'table' }
  { title: 'Swaps per day', query: loadTextContent('../kql/swaps-per-day.kql'), visual: 'barchart' }
  { title: 'Downtime by week', query: loadTextContent('../kql/downtime.kql'), visual: 'table' }
  { title: 'Refused, rolled back, failed', query: loadTextContent('../kql/failures.kql'), visual: 'table' }
  { title: 'Events that were not published', query: loadTextContent('../kql/unpublished.kql'), visual: 'table' }
]
var period = {
  type: 9
  name: 'period'
  content: {
    version: 'KqlParameterItem/1.0'
    parameters: [
      {
        id: guid(title, 'period')
        version: 'KqlParameterItem/1.0'
        name: 'Period'
        type: 4
        value: { durationMs: 7776000000 }
        typeSettings: {
          selectableValues: [
            { durationMs: 86400000 }
            { durationMs: 604800000 }
            { durationMs: 2592000000 }
            { durationMs: 7776000000 }
          ]
        }
      }
    ]
  }
}
var queries = map(parts, part => {
  type: 3
  name: part.title
  content: {
    version: 'KqlItem/1.0'
    title: part.title
    query: part.query
    visualization: part.visual
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    timeContextFromParameter: 'Period'
  }
})

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, title)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: title
    sourceId: workspaceId
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([period], queries)
      fallbackResourceIds: [workspaceId]
    })
  }
}
