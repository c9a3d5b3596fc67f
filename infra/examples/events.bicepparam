// Tag edits of one subscription without a system topic: tools/events.py deploys this into each subscription of the fleet.

using '../events.bicep'

param environmentName = 'example'
param location = 'westeurope'
param functionAppId = '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-vm-refresh-example/providers/Microsoft.Web/sites/func-example'
param storageAccountId = '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-vm-refresh-example/providers/Microsoft.Storage/storageAccounts/stexample'
param actionGroupId = '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-vm-refresh-example/providers/Microsoft.Insights/actionGroups/ag-example'
