// The custom roles, from the files in roles/: the same JSON that the local Azure enforces and docs/permissions.md lists.

targetScope = 'subscription'

@export()
@description('A custom role of the app, by the name of its entry below.')
type role = 'reader' | 'swapper' | 'builder' | 'recipes' | 'buildNetwork' | 'vhdSource' | 'cleaner' | 'appTeam'

@export()
@description('Name of a role\'s definition: assignments compute it instead of waiting for the definition\'s output.')
func definitionName(subscriptionId string, environmentName string, name role) string =>
  guid('/subscriptions/${subscriptionId}', environmentName, name)

@description('Part of the role names, which are unique in a tenant.')
param environmentName string

var files = {
  reader: loadJsonContent('../roles/reader.json')
  swapper: loadJsonContent('../roles/swapper.json')
  builder: loadJsonContent('../roles/builder.json')
  recipes: loadJsonContent('../roles/recipes.json')
  buildNetwork: loadJsonContent('../roles/build-network.json')
  vhdSource: loadJsonContent('../roles/vhd-source.json')
  cleaner: loadJsonContent('../roles/cleaner.json')
  appTeam: loadJsonContent('../roles/app-team.json')
}

resource roles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for file in items(files): {
    name: definitionName(subscription().subscriptionId, environmentName, file.key)
    properties: {
      roleName: '${file.value.roleName} (${environmentName}, ${take(subscription().subscriptionId, 8)})'
      description: file.value.description
      type: 'CustomRole'
      permissions: [
        {
          actions: map(file.value.grants, grant => grant.action)
          notActions: []
          dataActions: []
          notDataActions: []
        }
      ]
      assignableScopes: [subscription().id]
    }
  }
]
