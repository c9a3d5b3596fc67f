// The gallery of the images, and its image definitions.

import { imageDefinition } from '../types.bicep'

@description('Name of the gallery: letters, digits, dots and underscores.')
param name string
param location string
param tags { *: string }
@description('Definitions to create here; the app creates those of its images.toml itself.')
param definitions imageDefinition[]

resource gallery 'Microsoft.Compute/galleries@2025-03-03' = {
  name: name
  location: location
  tags: tags
  properties: {
    description: 'Images that azure-vm-refresh makes OS disks from.'
  }
}

resource images 'Microsoft.Compute/galleries/images@2025-03-03' = [
  for definition in definitions: {
    parent: gallery
    name: definition.name
    location: location
    tags: union(tags, definition.?tags ?? {})
    properties: {
      identifier: { publisher: definition.publisher, offer: definition.offer, sku: definition.sku }
      osType: definition.osType
      osState: definition.osState
      hyperVGeneration: definition.hyperVGeneration
      architecture: definition.architecture
      // Azure's default is TrustedLaunchSupported, which accepts no version from a VM.
      features: [{ name: 'SecurityType', value: definition.securityType }]
    }
  }
]

output id string = gallery.id
