// Lets a system topic write undeliverable events into the app's storage account.

param accountName string
param topicSubscription string
param topicGroup string
param topicName string

// https://learn.microsoft.com/azure/event-grid/managed-service-identity
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource letters 'containers' existing = {
      name: 'dead-letters'
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
  scope: resourceGroup(topicSubscription, topicGroup)
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::letters.id, topic.id, blobDataContributor)
  scope: account::blobs::letters
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}
