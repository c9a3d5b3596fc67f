// The app's roles for every subscription below a management group. Deployed once, after main.bicep, with the right to
// assign roles there: `az deployment mg create --management-group-id <name> --location … --template-file
// infra/management-group.bicep --parameters environmentName=… principalId=<output IDENTITY_PRINCIPAL_ID>`.

targetScope = 'managementGroup'

@description('Name of the environment, as in main.bicep.')
param environmentName string

@description('Object id of the app\'s identity: output IDENTITY_PRINCIPAL_ID of main.bicep.')
param principalId string

@description('Whether retention may delete old OS disks.')
param retentionDeletes bool = false

var files = concat(
  [loadJsonContent('roles/reader.json'), loadJsonContent('roles/swapper.json')],
  retentionDeletes ? [loadJsonContent('roles/cleaner.json')] : []
)

resource roles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for file in files: {
    name: guid(managementGroup().id, environmentName, file.roleName)
    properties: {
      roleName: '${file.roleName} (${environmentName}, ${managementGroup().name})'
      description: file.description
      type: 'CustomRole'
      permissions: [
        {
          actions: map(file.grants, grant => grant.action)
          notActions: []
          dataActions: []
          notDataActions: []
        }
      ]
      assignableScopes: [managementGroup().id]
    }
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (file, index) in files: {
    name: guid(managementGroup().id, principalId, file.roleName)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: roles[index].id
    }
  }
]
