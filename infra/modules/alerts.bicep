// Alerts. Every query is a file in kql/, parsed by Microsoft's language service in the tests; docs/runbook.md explains each.

param suffix string
param location string
param tags { *: string }
@description('Full id of the workspace that the app logs to.')
param workspaceId string
@description('E-mail addresses; none: alerts are in the portal only.')
param emails string[]

// A log alert reads two days at most: for longer periods the app logs a line daily (month-overdue).
var rules = [
  {
    name: 'needs-attention'
    title: 'A VM may be down after a swap'
    query: loadTextContent('../kql/needs-attention.kql')
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'rollback-rate'
    title: 'Many swaps are rolled back'
    query: loadTextContent('../kql/rollback-rate.kql')
    severity: 2
    every: 'PT1H'
    window: 'P1D'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'month-overdue'
    title: 'No month has succeeded for 40 days'
    query: loadTextContent('../kql/month-overdue.kql')
    severity: 2
    every: 'P1D'
    window: 'P2D'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'events-missing'
    title: 'Events do not arrive: the sweep alone finds edits'
    query: loadTextContent('../kql/events-missing.kql')
    severity: 2
    every: 'PT15M'
    window: 'PT1H'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'silent'
    title: 'The sweep does not run'
    query: loadTextContent('../kql/silent.kql')
    severity: 1
    every: 'PT15M'
    window: 'PT1H'
    operator: 'LessThan'
    threshold: 1
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'vm-refresh'
    enabled: true
    emailReceivers: [
      for email in emails: { name: uniqueString(email), emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: 'vm-refresh-${rule.name}-${suffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'VM refresh: ${rule.title}'
      description: 'What to look at and what to do: docs/runbook.md of azure-vm-refresh, heading ${rule.name}.'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: false
      // The tables exist only after the first log line of the app.
      skipQueryValidation: true
      actions: { actionGroups: [people.id] }
    }
  }
]

output actionGroupId string = people.id
