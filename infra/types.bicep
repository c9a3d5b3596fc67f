// Types of parameters: a misspelt name is refused before anything is deployed.

@export()
@description('Settings of the app that differ from settings.json. REFRESH_SUBSCRIPTIONS, REFRESH_MANAGEMENT_GROUP, REFRESH_GALLERIES, REFRESH_BUILD_SUBNETS, REFRESH_OUTCOME_TOPIC, REFRESH_API_AUTH and AZURE_CLIENT_ID are set by main.bicep.')
@sealed()
type settings = {
  REFRESH_IMAGES: string?
  REFRESH_RECIPES: string?
  REFRESH_SCHEDULE: string?
  SWEEP_SCHEDULE: string?
  PURGE_SCHEDULE: string?
  RETENTION_SCHEDULE: string?
  REFRESH_RETENTION: string?
  REFRESH_KEEP_DISKS: string?
  REFRESH_KEEP_DISKS_DAYS: string?
  REFRESH_KEEP_VERSIONS: string?
  REFRESH_KEEP_VERSIONS_DAYS: string?
  REFRESH_ROLLOUT: string?
  REFRESH_MAX_SWAPS: string?
  REFRESH_HEALTH_RUNGS: string?
  REFRESH_HEALTH_TIMEOUT_S: string?
  REFRESH_QUARANTINE_AFTER: string?
  REFRESH_QUARANTINE_SHARE: string?
  REFRESH_CAPACITY_TIMEOUT_S: string?
  REFRESH_STOP_MODE: string?
  REFRESH_DISK_TRUST: string?
  REFRESH_DISK_GROUPS: string?
  REFRESH_PREVIOUS_RESERVED_DAYS: string?
  REFRESH_HISTORY_DAYS: string?
  REFRESH_NOTICE_S: string?
  REFRESH_SELFCHECK: string?
  REFRESH_ARM_ENDPOINT: string?
}

@export()
@description('A resource group by subscription and name.')
@sealed()
type groupName = {
  subscriptionId: string
  name: string
}

@export()
@description('An image definition of the gallery.')
@sealed()
type imageDefinition = {
  name: string
  publisher: string
  offer: string
  sku: string
  osType: 'Linux' | 'Windows'
  @description('Specialized unless the image personalises itself on first boot: docs/images.md.')
  osState: 'Generalized' | 'Specialized'
  hyperVGeneration: 'V1' | 'V2'
  architecture: 'x64' | 'Arm64'
  securityType: 'Standard' | 'TrustedLaunchSupported' | 'TrustedLaunch'
  @description('AutoRefresh, RefreshSource, RefreshPersonalizes, RefreshAgent: docs/tags.md.')
  tags: { *: string }?
}

@export()
@description('The entries of a comma-separated text, each once.')
func entriesOf(text string) string[] => union([], filter(split(replace(text, ' ', ''), ','), entry => !empty(entry)))

@export()
@description('Addresses of the app\'s storage account.')
@sealed()
type storageOfApp = {
  blobEndpoint: string
  queueEndpoint: string
  tableEndpoint: string
  packageContainer: string
}
