// Role definitions given to one identity on a whole subscription.

targetScope = 'subscription'

@description('Full ids of role definitions.')
param roleIds string[]
@description('Object id of the app\'s identity.')
param principalId string

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for roleId in roleIds: {
    name: guid(subscription().id, principalId, roleId)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: roleId
    }
  }
]
