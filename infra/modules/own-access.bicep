// What the app may do in its own subscription: build in its own group and, where recipes are built, in groups it makes.

targetScope = 'subscription'

param environmentName string
@description('Object id of the app\'s identity.')
param principalId string
@description('The app\'s own resource group, where its gallery and its networks are.')
param groupName string
@description('Whether VMs are built here: the roles to make and delete resource groups, and to join subnets.')
param recipeBuilds bool
@description('Full ids of subnets of this subscription, outside that group, that VMs are built in.')
param subnetIds string[]
@description('Full ids of storage accounts of this subscription with VHDs to make images from.')
param vhdAccountIds string[]

module roles 'role-definitions.bicep' = {
  name: 'vm-refresh-own-roles-${environmentName}'
  params: { environmentName: environmentName }
}

module build 'assign-group.bicep' = {
  name: 'build'
  scope: resourceGroup(groupName)
  params: {
    principalId: principalId
    roleIds: concat(
      [roles.outputs.ids.reader, roles.outputs.ids.builder],
      recipeBuilds ? [roles.outputs.ids.buildNetwork] : []
    )
  }
}

module recipes 'assign-subscription.bicep' = if (recipeBuilds) {
  name: 'vm-refresh-recipes-${environmentName}'
  params: { principalId: principalId, roleIds: [roles.outputs.ids.reader, roles.outputs.ids.recipes] }
}

module subnets 'assign-group.bicep' = [
  for id in union([], map(subnetIds, id => join(take(split(toLower(id), '/'), 5), '/'))): {
    name: 'subnets-${uniqueString(id)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: { principalId: principalId, roleIds: [roles.outputs.ids.buildNetwork] }
  }
]

module vhdSources 'vhd-source.bicep' = [
  for id in vhdAccountIds: {
    name: 'vhd-${uniqueString(id)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      accountName: last(split(id, '/'))
      principalId: principalId
      roleId: roles.outputs.ids.vhdSource
    }
  }
]

output appTeamRoleId string = roles.outputs.ids.appTeam
