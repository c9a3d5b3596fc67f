// The app's rights at single scopes of its own subscription: build in its own group, join subnets, read VHDs.

targetScope = 'subscription'

import { definitionName } from 'role-definitions.bicep'

param environmentName string
@description('Object id of the app\'s identity.')
param principalId string
@description('The app\'s own resource group, where its gallery and its networks are.')
param groupName string
@description('Whether VMs are built here: assigns the role to join subnets.')
param recipeBuilds bool
@description('Full ids of further subnets of this subscription for build VMs.')
param subnetIds string[]
@description('Full ids of storage accounts of this subscription with VHDs for images.')
param vhdAccountIds string[]

// /subscriptions/<id>/resourceGroups/<name>: one assignment for each group, however many of its subnets are listed.
var ownGroup = toLower('${subscription().id}/resourceGroups/${groupName}')
var subnetGroups = union([], map(subnetIds, id => join(take(split(toLower(id), '/'), 5), '/')))

module build 'assign-group.bicep' = {
  name: 'build'
  scope: resourceGroup(groupName)
  params: {
    environmentName: environmentName
    principalId: principalId
    roles: ['reader', 'builder', ...(recipeBuilds ? ['buildNetwork'] : [])]
  }
}

module subnets 'assign-group.bicep' = [
  for id in filter(subnetGroups, id => id != ownGroup): {
    name: 'subnets-${uniqueString(id)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: { environmentName: environmentName, principalId: principalId, roles: ['buildNetwork'] }
  }
]

module vhdSources 'vhd-source.bicep' = [
  for id in union([], map(vhdAccountIds, id => toLower(id))): {
    name: 'vhd-${uniqueString(id)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: { environmentName: environmentName, accountName: last(split(id, '/')), principalId: principalId }
  }
]

output appTeamRoleId string = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  definitionName(subscription().subscriptionId, environmentName, 'appTeam')
)
