// The app's rights in one subscription: each custom role is defined in it once and assigned once.

targetScope = 'subscription'

import { role } from 'role-definitions.bicep'

param environmentName string
@description('Object id of the app\'s identity.')
param principalId string
@description('Whether VMs of this subscription are refreshed: the app reads all of it and swaps in all of it or in swapGroups.')
param inFleet bool
@description('Whether VMs are built here: assigns the roles to create and delete resource groups.')
param recipeBuilds bool
@description('Resource groups of this subscription in which VMs are swapped; none: the whole subscription.')
param swapGroups string[]
@description('Whether retention may delete old OS disks, wherever VMs are swapped.')
param retentionDeletes bool

var swap role[] = ['swapper', ...(retentionDeletes ? ['cleaner'] : [])]
var swapsEverywhere = inFleet && empty(swapGroups)

module definitions 'role-definitions.bicep' = {
  name: 'vm-refresh-roles-${environmentName}'
  params: { environmentName: environmentName }
}

module everywhere 'assign-subscription.bicep' = {
  name: 'vm-refresh-look-${environmentName}'
  params: {
    environmentName: environmentName
    principalId: principalId
    roles: [
      ...(inFleet || recipeBuilds ? ['reader'] : [])
      ...(swapsEverywhere ? swap : [])
      ...(recipeBuilds ? ['recipes'] : [])
    ]
  }
  dependsOn: [definitions]
}

module inGroups 'assign-group.bicep' = [
  for group in union([], map(swapGroups, name => toLower(name))): {
    name: 'vm-refresh-swap-${environmentName}-${uniqueString(group)}'
    scope: resourceGroup(group)
    params: { environmentName: environmentName, principalId: principalId, roles: swap }
    dependsOn: [definitions]
  }
]
