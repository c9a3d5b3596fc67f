// The app's roles for every subscription below a management group, retention included.

using '../management-group.bicep'

param environmentName = 'example'
param principalId = '66666666-6666-4666-8666-666666666666'
param retentionDeletes = true
