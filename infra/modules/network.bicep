// Networks, each only when asked for: one that the app's probes leave from, one that build VMs live in.

param suffix string
param location string
param tags { *: string }
@description('Whether the app gets a subnet, from which it reaches the private addresses of VMs (tag RefreshProbe). Peer this network with the ones that the VMs are in.')
param forApp bool
@description('Whether build VMs get a subnet. They have no public address; their way out is a NAT gateway.')
param forBuilds bool
@description('Address space, at least a /25.')
param addressPrefix string

resource nobodyIn 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'nobody-comes-in'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 100
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource address 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (forBuilds) {
  name: 'pip-${suffix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource wayOut 'Microsoft.Network/natGateways@2025-05-01' = if (forBuilds) {
  name: 'ng-${suffix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: concat(
      forApp
        ? [
            {
              name: 'app'
              properties: {
                addressPrefix: cidrSubnet(addressPrefix, 26, 0)
                // https://learn.microsoft.com/azure/azure-functions/functions-networking-options#subnets
                delegations: [{ name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }]
                networkSecurityGroup: { id: nobodyIn.id }
                defaultOutboundAccess: true
              }
            }
          ]
        : [],
      forBuilds
        ? [
            {
              name: 'builds'
              properties: {
                addressPrefix: cidrSubnet(addressPrefix, 26, 1)
                networkSecurityGroup: { id: nobodyIn.id }
                natGateway: { id: wayOut.id }
                defaultOutboundAccess: false
              }
            }
          ]
        : []
    )
  }
}

output appSubnetId string = forApp ? resourceId('Microsoft.Network/virtualNetworks/subnets', network.name, 'app') : ''
output buildSubnetId string = forBuilds
  ? resourceId('Microsoft.Network/virtualNetworks/subnets', network.name, 'builds')
  : ''
