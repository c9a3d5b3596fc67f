// The function app on Flex Consumption: identity-only, no stored secret, the API behind Entra by default.

import { storageOfApp } from '../types.bicep'

param suffix string
param location string
@description('Tags; azd finds the app by azd-service-name.')
param tags { *: string }
param identityId string
param identityClientId string
param storage storageOfApp
param insightsConnectionString string
@description('Where Durable stores its state: the storage account, or the Durable Task Scheduler at schedulerEndpoint.')
param durableBackend 'storage' | 'scheduler'
param schedulerEndpoint string
param taskHub string
@description('All settings of the app: settings.json with the values of main.bicep.')
param appSettings { *: string }
@description('Subnet from which the app reaches VMs; empty: none.')
param subnetId string
@description('entra: a token of one of allowedPrincipals; key: a function key, which is a stored secret and fleet admin.')
param apiAuth 'entra' | 'key'
@description('Application (client) id of the app registration whose tokens are accepted.')
param apiClientId string
@description('Object ids of users and service principals that may call the API.')
@maxLength(13)
param allowedPrincipals string[]
param instanceMemoryMB 512 | 2048 | 4096
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int
@description('Always-ready instances for each function group that a tag edit needs.')
@minValue(0)
param alwaysReady int
param zoneRedundant bool

var usesEntra = apiAuth == 'entra'
// Event Grid's function is in the group http; the dispatcher, swaps and their activities are in the group durable:
// https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Extensions/FunctionMetadataExtensions.cs
var groupsOfAnEdit = ['http', 'durable']
// Closed by default: with an empty list Entra would accept every account of the tenant.
var noPrincipal = ['00000000-0000-0000-0000-000000000000']

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${suffix}'
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.blobEndpoint}${storage.packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: map(alwaysReady > 0 ? groupsOfAnEdit : [], group => { name: group, instanceCount: alwaysReady })
        // Python's default is one request at a time: many edits at once would start many instances. Every handler is async
        // and only waits for storage or Azure Resource Manager:
        // https://learn.microsoft.com/azure/azure-functions/functions-concurrency#http-trigger-concurrency
        triggers: { http: { perInstanceConcurrency: 100 } }
      }
      runtime: { name: 'python', version: '3.13' }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ftpsState: 'Disabled'
      remoteDebuggingEnabled: false
    }
  }

  resource noFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource authentication 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: usesEntra }
      globalValidation: {
        requireAuthentication: usesEntra
        unauthenticatedClientAction: usesEntra ? 'Return401' : 'AllowAnonymous'
        // Event Grid sends the extension's key. Durable's webhooks are not excluded: they are not used.
        excludedPaths: ['/runtime/webhooks/eventgrid', '/runtime/webhooks/EventGrid']
      }
      httpSettings: { requireHttps: true }
      login: { tokenStore: { enabled: false } }
      identityProviders: {
        azureActiveDirectory: {
          enabled: usesEntra
          registration: {
            // No client secret: tokens are validated, there is no sign-in.
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
            clientId: usesEntra && empty(apiClientId)
              ? fail('apiClientId is needed with apiAuth=entra: docs/deploy.md#1-deploy')
              : apiClientId
          }
          validation: {
            allowedAudiences: ['api://${apiClientId}', apiClientId]
            defaultAuthorizationPolicy: {
              allowedPrincipals: { identities: empty(allowedPrincipals) ? noPrincipal : allowedPrincipals }
            }
          }
        }
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(
      appSettings,
      {
        AZURE_CLIENT_ID: identityClientId
        REFRESH_API_AUTH: apiAuth
        TASK_HUB_NAME: taskHub
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identityClientId
        AzureWebJobsStorage__blobServiceUri: storage.blobEndpoint
        AzureWebJobsStorage__queueServiceUri: storage.queueEndpoint
        AzureWebJobsStorage__tableServiceUri: storage.tableEndpoint
        APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
        // Functions of the Durable library that can request identity tokens; they are not used.
        'AzureWebJobs.BuiltIn__HttpActivity.Disabled': 'true'
        'AzureWebJobs.BuiltIn__HttpPollOrchestrator.Disabled': 'true'
      },
      durableBackend == 'storage'
        ? {}
        : {
            DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId};TaskHub=${taskHub}'
            // host.json's storage provider, overridden: https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
            AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
            AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
          }
    )
    // With entra the API's routes need no key, so authentication must exist before them.
    dependsOn: [authentication]
  }
}

output name string = site.name
output id string = site.id
output address string = 'https://${site.properties.defaultHostName}'
