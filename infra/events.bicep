// Tag edits of one subscription, delivered to the app. Deployed by azure.yaml's postdeploy hook into each subscription of
// the fleet, because Event Grid accepts a function as destination only when it exists.

targetScope = 'subscription'

@description('Name of the environment, as in main.bicep.')
param environmentName string

@description('Region of the resource group; the topic itself is global.')
param location string

@description('Full id of the function app.')
param functionAppId string

@description('Full id of the storage account for dead letters.')
param storageAccountId string

@description('Name of the subscription\'s system topic if it has one: Azure allows one. Empty: one is created.')
param existingTopicName string = ''

@description('Resource group of that topic.')
param existingTopicGroup string = ''

@description('Whether that topic has a system-assigned identity; without one there are no dead letters.')
param existingTopicHasIdentity bool = false

@description('Full id of the action group of the dead-letter alert; empty: no alert.')
param actionGroupId string = ''

@description('More tags for the resources.')
param tags { *: string } = {}

var allTags = union(tags, { 'azd-env-name': environmentName, application: 'azure-vm-refresh' })
var reuses = !empty(existingTopicName)
var topicName = reuses ? existingTopicName : 'evgst-vm-refresh-${environmentName}'
var groupName = reuses ? existingTopicGroup : 'rg-vm-refresh-events-${environmentName}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = if (!reuses) {
  name: groupName
  location: location
  tags: allTags
}

module topic 'modules/system-topic.bicep' = if (!reuses) {
  name: 'vm-refresh-topic-${environmentName}'
  scope: resourceGroup(groupName)
  params: { name: topicName, tags: allTags }
  dependsOn: [group]
}

module letters 'modules/dead-letter-access.bicep' = if (!reuses || existingTopicHasIdentity) {
  name: 'vm-refresh-letters-${environmentName}'
  scope: resourceGroup(split(storageAccountId, '/')[2], split(storageAccountId, '/')[4])
  params: {
    accountName: last(split(storageAccountId, '/'))
    topicGroup: groupName
    topicName: topicName
    topicSubscription: subscription().subscriptionId
  }
  dependsOn: [topic]
}

module events 'modules/event-subscription.bicep' = {
  name: 'vm-refresh-events-${environmentName}'
  scope: resourceGroup(groupName)
  params: {
    name: 'vm-refresh-${environmentName}'
    topicName: topicName
    functionId: '${functionAppId}/functions/on_resource_write'
    storageAccountId: storageAccountId
    keepsDeadLetters: !reuses || existingTopicHasIdentity
  }
  dependsOn: [letters]
}

module alert 'modules/dead-letter-alert.bicep' = if (!empty(actionGroupId)) {
  name: 'vm-refresh-letters-alert-${environmentName}'
  scope: resourceGroup(groupName)
  params: { topicName: topicName, tags: allTags, actionGroupId: actionGroupId }
  dependsOn: [topic]
}
