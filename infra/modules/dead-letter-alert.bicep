// Alerts when Event Grid gave up an event: the app acts on that tag edit at the next sweep.

param topicName string
param tags { *: string }
@description('Full id of the action group that is notified.')
param actionGroupId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource alert 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'vm-refresh-dead-letters-${topicName}'
  location: 'global'
  tags: tags
  properties: {
    description: 'VM refresh: an event could not be delivered for a day and went to the dead letters. What to do: docs/runbook.md of azure-vm-refresh, heading dead-letters.'
    severity: 2
    enabled: true
    scopes: [topic.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          // https://learn.microsoft.com/azure/event-grid/monitor-event-delivery
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}
