// A policy that VMs say whether they take part: AutoRefresh must be there, true, hold or false.

targetScope = 'subscription'

param environmentName string
@description('audit: reported only; deny: a VM without the tag can be neither made nor changed.')
param effect 'audit' | 'deny'

resource definition 'Microsoft.Authorization/policyDefinitions@2025-03-01' = {
  name: 'vm-refresh-tag-${environmentName}'
  properties: {
    displayName: 'VMs say whether their OS disk is refreshed (${environmentName})'
    description: 'A VM carries the tag AutoRefresh with true, hold or false.'
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
    displayName: 'VMs say whether their OS disk is refreshed (${environmentName})'
    policyDefinitionId: definition.id
    enforcementMode: 'Default'
    parameters: { effect: { value: effect } }
    nonComplianceMessages: [
      { message: 'Tag the VM AutoRefresh=true, hold or false: whether azure-vm-refresh keeps its OS disk fresh.' }
    ]
  }
}
