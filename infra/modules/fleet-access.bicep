// What the app may do in one subscription: look everywhere in it, swap in all of it or in some groups of it.

targetScope = 'subscription'

param environmentName string
@description('Object id of the app\'s identity.')
param principalId string
@description('Resource groups of this subscription in which VMs are swapped; none: the whole subscription.')
param swapGroups string[]
@description('Whether retention may delete old OS disks, wherever VMs are swapped.')
param retentionDeletes bool

module definitions 'role-definitions.bicep' = {
  name: 'vm-refresh-roles-${environmentName}'
  params: { environmentName: environmentName }
}

var look = [definitions.outputs.ids.reader]
var swap = concat([definitions.outputs.ids.swapper], retentionDeletes ? [definitions.outputs.ids.cleaner] : [])

module everywhere 'assign-subscription.bicep' = {
  name: 'vm-refresh-look-${environmentName}'
  params: {
    principalId: principalId
    roleIds: empty(swapGroups) ? concat(look, swap) : look
  }
}

module inGroups 'assign-group.bicep' = [
  for group in swapGroups: {
    name: 'vm-refresh-swap-${environmentName}-${uniqueString(group)}'
    scope: resourceGroup(group)
    params: { principalId: principalId, roleIds: swap }
  }
]

output roleIds object = definitions.outputs.ids
