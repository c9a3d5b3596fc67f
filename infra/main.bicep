// azure-vm-refresh as a whole, for one environment: `azd up`, or `az deployment sub create --location … --parameters
// infra/environments/<environment>.bicepparam`. Plain resources, no modules from a registry.
// Event Grid needs the functions to exist: events.bicep is deployed after the app by azure.yaml's hook.

targetScope = 'subscription'

import { entriesOf, groupName, imageDefinition, settings as settingsType } from 'types.bicep'

@description('Name of the environment, such as test or production: part of names and tags.')
@minLength(2)
@maxLength(20)
param environmentName string

@description('Region of all resources.')
param location string

@description('More tags for all resources.')
param tags { *: string } = {}

@description('Subscriptions whose VMs are refreshed, comma-separated; empty: this one, unless managementGroup has a value.')
param fleetSubscriptions string = ''

@description('Name of a management group instead: every subscription below it. management-group.bicep assigns its roles.')
param managementGroup string = ''

@description('Resource groups in which VMs are swapped, if not everywhere in the subscriptions: the narrowest rights. A VM elsewhere is listed and refused.')
param swapGroups groupName[] = []

@description('Settings of the app that differ from settings.json: docs/settings.md.')
param settings settingsType = {}

@description('How the HTTP API is protected. entra: tokens of the principals in apiAllowedPrincipals, no stored secret. key: function keys, which are stored secrets and fleet admin.')
param apiAuth 'entra' | 'key' = 'entra'

@description('Application (client) id of the app registration for the API, with apiAuth=entra.')
param apiClientId string = ''

@description('Object ids of users and service principals that may call the API, comma-separated, 13 at most; empty: none.')
param apiAllowedPrincipals string = ''

@description('Where Durable stores its state. storage: the storage account. scheduler: the Durable Task Scheduler (Consumption).')
param durableBackend 'storage' | 'scheduler' = 'storage'

@description('Memory of an instance in MB.')
param instanceMemoryMB 512 | 2048 | 4096 = 2048

@description('Maximum number of instances.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Always-ready instances for each of the two function groups that a tag edit needs, http (its event) and durable (its swap): it then has no cold start. Two instances of 2 GB cost about 42 USD a month when idle (docs/deploy.md#what-it-costs).')
@minValue(0)
@maxValue(20)
param alwaysReady int = 0

@description('Whether app and storage are zone redundant, where the region has zones for Flex Consumption. Azure then has two always-ready instances for each scaling group (docs/deploy.md#what-it-costs).')
param zoneRedundant bool = false

@description('Whether the app gets its own network, from which it reaches VMs (tag RefreshProbe); peer it with theirs.')
param appNetwork bool = false

@description('An existing subnet, delegated to Microsoft.App/environments, instead of appNetwork.')
param appSubnetId string = ''

@description('Whether recipes and proofs may build VMs here: a role that can delete resource groups, and a network. Only for a subscription with nothing else in it (docs/recipes.md).')
param recipeBuilds bool = false

@description('Full ids of further subnets for builds, comma-separated, one for each further region; in this subscription, only with recipeBuilds.')
param otherBuildSubnets string = ''

@description('Address space of the networks, at least a /25.')
param networkPrefix string = '10.213.0.0/24'

@description('Image definitions to create in the gallery; the app creates those of its images.toml itself: docs/images.md#imagestoml.')
param imageDefinitions imageDefinition[] = []

@description('Full ids of further galleries for disks, comma-separated. Their owners assign the roles: docs/permissions.md.')
param otherGalleries string = ''

@description('Full ids of storage accounts of this subscription with VHDs for images, comma-separated.')
param vhdStorageAccounts string = ''

@description('Whether the app gets the right to delete old OS disks. Its timer deletes them when REFRESH_RETENTION is delete in settings as well (docs/retention.md).')
param retentionDeletes bool = false

@description('Whether VMs must have the tag AutoRefresh.')
param tagPolicy 'none' | 'audit' | 'deny' = 'none'

@description('E-mail addresses for alerts, comma-separated; empty: alerts are in the portal only.')
param alertEmails string = ''

@description('Days to keep logs.')
@minValue(30)
@maxValue(730)
param logDays int = 60

var allTags = union(tags, { 'azd-env-name': environmentName, application: 'azure-vm-refresh' })
var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var taskHub = 'AzureVmRefresh'
var own = toLower(subscription().subscriptionId)
var fleet = !empty(managementGroup) ? [] : empty(fleetSubscriptions) ? [own] : entriesOf(toLower(fleetSubscriptions))
var moreSubnets = recipeBuilds || empty(otherBuildSubnets)
  ? entriesOf(otherBuildSubnets)
  : fail('otherBuildSubnets needs recipeBuilds, which gives the rights to build there')
// https://learn.microsoft.com/azure/app-service/configure-authentication-provider-aad#use-a-built-in-authorization-policy
var principals = entriesOf(toLower(apiAllowedPrincipals))
var checkedPrincipals = length(principals) > 13
  ? fail('apiAllowedPrincipals has ${length(principals)} object ids, and App Service takes 13, which is 500 characters: leave some out, or let several callers share one service principal')
  : principals
var checkedSettings = settings.?REFRESH_RETENTION == 'delete' && !retentionDeletes
  ? fail('REFRESH_RETENTION=delete needs retentionDeletes, which gives the right to delete disks')
  : settings
var galleryName = 'gal_${replace(environmentName, '-', '_')}_${suffix}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-vm-refresh-${environmentName}'
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-${suffix}', location: location, tags: allTags }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    retentionDays: logDays
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    holdsTaskHub: durableBackend == 'storage'
    zoneRedundant: zoneRedundant
  }
}

module scheduler 'modules/durable-scheduler.bicep' = if (durableBackend == 'scheduler') {
  name: 'durable-scheduler'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    taskHub: taskHub
  }
}

module outcomes 'modules/outcome-topic.bicep' = {
  name: 'outcome-topic'
  scope: group
  params: { suffix: suffix, location: location, tags: allTags, principalId: identity.outputs.principalId }
}

module gallery 'modules/gallery.bicep' = {
  name: 'gallery'
  scope: group
  params: { name: galleryName, location: location, tags: allTags, definitions: imageDefinitions }
}

module network 'modules/network.bicep' = if (appNetwork || recipeBuilds) {
  name: 'network'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: allTags
    forApp: appNetwork
    forBuilds: recipeBuilds
    addressPrefix: networkPrefix
  }
}

// Each subscription once: the app's own, which has the gallery and is usually in the fleet, and the others.
module access 'modules/subscription-access.bicep' = [
  for id in union([own], fleet): {
    name: 'vm-refresh-access-${environmentName}-${uniqueString(id)}'
    scope: subscription(id)
    params: {
      environmentName: environmentName
      principalId: identity.outputs.principalId
      inFleet: contains(fleet, id)
      recipeBuilds: recipeBuilds && id == own
      swapGroups: map(
        filter(swapGroups, each => toLower(each.subscriptionId) == id && contains(fleet, id)),
        each => each.name
      )
      retentionDeletes: retentionDeletes
    }
  }
]

module ownAccess 'modules/own-access.bicep' = {
  name: 'vm-refresh-own-${environmentName}'
  params: {
    environmentName: environmentName
    principalId: identity.outputs.principalId
    groupName: group.name
    recipeBuilds: recipeBuilds
    subnetIds: moreSubnets
    vhdAccountIds: entriesOf(vhdStorageAccounts)
  }
  // It has the role definitions.
  dependsOn: [access]
}

module policy 'modules/policy.bicep' = [
  for id in tagPolicy == 'none' ? [] : fleet: {
    name: 'vm-refresh-policy-${environmentName}-${uniqueString(id)}'
    scope: subscription(id)
    params: { environmentName: environmentName, effect: tagPolicy == 'deny' ? 'deny' : 'audit' }
  }
]

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: allTags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storage: storage.outputs.forApp
    insightsConnectionString: monitoring.outputs.connectionString
    durableBackend: durableBackend
    schedulerEndpoint: durableBackend == 'scheduler' ? scheduler!.outputs.endpoint : ''
    taskHub: taskHub
    appSettings: union(
      loadJsonContent('settings.json'),
      // In a new environment no VM is stopped before the self-check has passed.
      { REFRESH_SELFCHECK: 'required' },
      checkedSettings,
      {
        REFRESH_SUBSCRIPTIONS: join(fleet, ',')
        REFRESH_MANAGEMENT_GROUP: managementGroup
        REFRESH_GALLERIES: join(concat([gallery.outputs.id], entriesOf(otherGalleries)), ',')
        REFRESH_BUILD_SUBNETS: join(concat(recipeBuilds ? [network!.outputs.buildSubnetId] : [], moreSubnets), ',')
        REFRESH_OUTCOME_TOPIC: outcomes.outputs.endpoint
      }
    )
    subnetId: appNetwork ? network!.outputs.appSubnetId : appSubnetId
    apiAuth: apiAuth
    apiClientId: apiClientId
    allowedPrincipals: checkedPrincipals
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    emails: entriesOf(alertEmails)
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: { location: location, tags: allTags, workspaceId: monitoring.outputs.workspaceId }
}

// azd stores outputs as environment variables of their names; the hook reads them.
output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output FUNCTION_APP_ID string = app.outputs.id
output FUNCTION_APP_URL string = app.outputs.address
output API_AUDIENCE string = apiAuth == 'entra' ? 'api://${apiClientId}' : ''
output STORAGE_ACCOUNT_ID string = storage.outputs.id
output ACTION_GROUP_ID string = alerts.outputs.actionGroupId
output FLEET_SUBSCRIPTIONS string = join(fleet, ',')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output OUTCOME_TOPIC_ENDPOINT string = outcomes.outputs.endpoint
output GALLERY_ID string = gallery.outputs.id
output BUILD_SUBNET_ID string = recipeBuilds ? network!.outputs.buildSubnetId : ''
output APP_TEAM_ROLE_ID string = ownAccess.outputs.appTeamRoleId
