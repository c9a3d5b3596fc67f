// A policy on VMs: the tag AutoRefresh must be true, hold or false.

targetScope = 'subscription'

param environmentName string
@description('audit: reported only; deny: a VM without the tag can be neither created nor changed.')
param effect 'audit' | 'deny'

resource definition 'Microsoft.Authorization/policyDefinitions@2025-03-01' = {
  name: 'vm-refresh-tag-${environmentName}'
  properties: {
    displayName: 'VMs have the tag AutoRefresh (${environmentName})'
    description: 'A VM has the tag AutoRefresh with the value true, hold or false.'
    policyType: 'Custom'
    mode: 'Indexed'
    metadata: { category: 'Compute' }
    parameters: {
      effect: {
        type: 'String'
        allowedValues: ['audit', 'deny']
        defaultValue: 'audit'
      }
    }
    policyRule: {
      if: {
        allOf: [
          { field: 'type', equals: 'Microsoft.Compute/virtualMachines' }
          { field: 'tags[AutoRefresh]', notIn: ['true', 'hold', 'false'] }
        ]
      }
      then: { effect: '[parameters(\'effect\')]' }
    }
  }
}

resource assignment 'Microsoft.Authorization/policyAssignments@2025-03-01' = {
  name: take('vm-refresh-tag-${environmentName}', 64)
  properties: {
    displayName: 'VMs have the tag AutoRefresh (${environmentName})'
    policyDefinitionId: definition.id
    enforcementMode: 'Default'
    parameters: { effect: { value: effect } }
    nonComplianceMessages: [
      { message: 'Set the tag AutoRefresh to true, hold or false: whether azure-vm-refresh refreshes the OS disk.' }
    ]
  }
}
