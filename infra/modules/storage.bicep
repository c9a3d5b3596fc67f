// The host's and Durable's storage, the deployed package and dead letters. Shared keys are off: identities only.

import { storageOfApp } from '../types.bicep'

@description('Last part of the names; letters and digits.')
@minLength(13)
@maxLength(13)
param suffix string
param location string
param tags { *: string }
@description('Object id of the app\'s identity.')
param principalId string
@description('Whether Durable stores its queues and tables here (false: in the Durable Task Scheduler).')
param holdsTaskHub bool
param zoneRedundant bool
@description('Days to keep an undeliverable event.')
param deadLetterDays int = 30

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var roles = holdsTaskHub ? [blobDataOwner, queueDataContributor, tableDataContributor] : [blobDataOwner]

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: 'st${suffix}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource package 'containers' = {
      name: 'app-package'
    }

    resource deadLetters 'containers' = {
      name: 'dead-letters'
    }
  }

  resource expiry 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'delete-dead-letters'
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['dead-letters/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: deadLetterDays } } }
            }
          }
        ]
      }
    }
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roles: {
    name: guid(account.id, principalId, role)
    scope: account
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

output id string = account.id
output forApp storageOfApp = {
  blobEndpoint: account.properties.primaryEndpoints.blob
  queueEndpoint: account.properties.primaryEndpoints.queue
  tableEndpoint: account.properties.primaryEndpoints.table
  packageContainer: account::blobs::package.name
}
