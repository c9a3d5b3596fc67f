// A network with two optional subnets: one for the app's probes, one for build VMs.

param suffix string
param location string
param tags { *: string }
@description('Whether the app gets a subnet, from which it reaches the private addresses of VMs (tag RefreshProbe). Peer this network with those of the VMs.')
param forApp bool
@description('Whether build VMs get a subnet. They have no public address; a NAT gateway is their outbound route.')
param forBuilds bool
@description('Address space, at least a /25.')
param addressPrefix string

resource denyInbound 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'deny-all-inbound'
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

resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = if (forBuilds) {
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
                networkSecurityGroup: { id: denyInbound.id }
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
                networkSecurityGroup: { id: denyInbound.id }
                natGateway: { id: natGateway.id }
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
