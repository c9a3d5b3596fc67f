using '../main.bicep'

param environmentName = 'test'
param location = 'westeurope'
param fleetSubscriptions = readEnvironmentVariable('REFRESH_SUBSCRIPTIONS', '')
param apiAuth = 'entra'
param apiClientId = readEnvironmentVariable('API_CLIENT_ID', '')
param apiAllowedPrincipals = readEnvironmentVariable('API_ALLOWED_PRINCIPALS', '')
param settings = {
  REFRESH_MAX_SWAPS: '2'
  REFRESH_DISK_TRUST: 'gallery'
}
