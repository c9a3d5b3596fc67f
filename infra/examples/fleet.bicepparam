// Two subscriptions with every optional part, to copy from.

using '../main.bicep'

param environmentName = 'example'
param location = 'westeurope'
param tags = { team: 'platform' }
param fleetSubscriptions = '11111111-1111-4111-8111-111111111111, 22222222-2222-4222-8222-222222222222'
param swapGroups = [{ subscriptionId: '22222222-2222-4222-8222-222222222222', name: 'rg-web' }]
param apiClientId = '33333333-3333-4333-8333-333333333333'
param apiAllowedPrincipals = '44444444-4444-4444-8444-444444444444,55555555-5555-4555-8555-555555555555'
param durableBackend = 'storage'
param alwaysReady = 1
param zoneRedundant = true
param appNetwork = true
param recipeBuilds = true
param otherBuildSubnets = '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-north/providers/Microsoft.Network/virtualNetworks/vnet/subnets/builds'
param imageDefinitions = [
  {
    name: 'linux'
    publisher: 'us'
    offer: 'linux'
    sku: 'v1'
    osType: 'Linux'
    osState: 'Generalized'
    hyperVGeneration: 'V2'
    architecture: 'x64'
    securityType: 'TrustedLaunchSupported'
    tags: { AutoRefresh: 'true', RefreshSource: 'recipe', RefreshPersonalizes: 'true' }
  }
]
param otherGalleries = '/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-images/providers/Microsoft.Compute/galleries/theirs'
param vhdStorageAccounts = '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-vhds/providers/Microsoft.Storage/storageAccounts/vhds'
param retentionDeletes = true
param tagPolicy = 'deny'
param alertEmails = 'you@example.com'
param settings = {
  REFRESH_DISK_TRUST: 'gallery'
  REFRESH_RETENTION: 'delete'
}
