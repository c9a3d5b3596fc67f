// The right that Azure checks on the storage account of a VHD.

import { definitionName } from 'role-definitions.bicep'

param environmentName string
param accountName string
@description('Object id of the app\'s identity.')
param principalId string

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accountName
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, 'vhdSource')
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      definitionName(subscription().subscriptionId, environmentName, 'vhdSource')
    )
  }
}
