using '../main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param fleetSubscriptions = readEnvironmentVariable('REFRESH_SUBSCRIPTIONS', '')
param apiAuth = 'entra'
param apiClientId = readEnvironmentVariable('API_CLIENT_ID', '')
param apiAllowedPrincipals = readEnvironmentVariable('API_ALLOWED_PRINCIPALS', '')
param alwaysReady = 1
param logDays = 90
param tagPolicy = 'audit'
param settings = {
  REFRESH_DISK_TRUST: 'gallery'
}
