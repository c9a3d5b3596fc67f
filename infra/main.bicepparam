// The values of `azd up`, from the environment of azd: `azd env set <name> <value>`.

using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param fleetSubscriptions = readEnvironmentVariable('REFRESH_SUBSCRIPTIONS', '')
param managementGroup = readEnvironmentVariable('REFRESH_MANAGEMENT_GROUP', '')
param apiAuth = readEnvironmentVariable('API_AUTH', 'entra')
param apiClientId = readEnvironmentVariable('API_CLIENT_ID', '')
param apiAllowedPrincipals = readEnvironmentVariable('API_ALLOWED_PRINCIPALS', '')
param durableBackend = readEnvironmentVariable('DURABLE_BACKEND', 'storage')
param tagPolicy = readEnvironmentVariable('TAG_POLICY', 'none')
param alertEmails = readEnvironmentVariable('ALERT_EMAILS', '')
