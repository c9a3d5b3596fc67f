// Assigns custom roles to one identity on a whole subscription.

targetScope = 'subscription'

import { definitionName, role } from 'role-definitions.bicep'

param environmentName string
@description('The roles; their definitions exist in the subscription.')
param roles role[]
@description('Object id of the app\'s identity.')
param principalId string

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for name in roles: {
    name: guid(subscription().id, principalId, name)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        definitionName(subscription().subscriptionId, environmentName, name)
      )
    }
  }
]
