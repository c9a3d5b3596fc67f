// The Durable Task Scheduler instead of the storage account: parameter durableBackend of main.bicep.

param suffix string
param location string
param tags { *: string }
@description('Object id of the app\'s identity.')
param principalId string
@description('Name of the task hub.')
param taskHub string

// https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-identity
var durableTaskDataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: 'dts-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'Consumption' }
    // An empty list would refuse every address; each caller needs the role below.
    ipAllowlist: ['0.0.0.0/0']
  }

  resource hub 'taskHubs' = {
    name: taskHub
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler.id, principalId, durableTaskDataContributor)
  scope: scheduler
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', durableTaskDataContributor)
  }
}

output endpoint string = scheduler.properties.endpoint
