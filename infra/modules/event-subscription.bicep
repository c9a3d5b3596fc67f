// Which events reach the app: writes of VMs and of their tags, including its own (dropped as duplicates).
// Events have no tag values, so they cannot be filtered by them: the app reads the VM.

param name string
param topicName string
@description('Full id of the function for the events.')
param functionId string
param storageAccountId string
@description('Whether undeliverable events go to the container dead-letters.')
param keepsDeadLetters bool

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource events 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: name
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: functionId
        maxEventsPerBatch: 100
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Resources.ResourceWriteSuccess']
      enableAdvancedFilteringOnArrays: false
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: ['Microsoft.Resources/tags/write', 'Microsoft.Compute/virtualMachines/write']
        }
        {
          operatorType: 'StringContains'
          key: 'subject'
          values: ['/providers/Microsoft.Compute/virtualMachines/']
        }
      ]
    }
    // https://learn.microsoft.com/azure/event-grid/delivery-and-retry: retried for a day; the sweep finds older edits.
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: keepsDeadLetters
      ? {
          identity: { type: 'SystemAssigned' }
          deadLetterDestination: {
            endpointType: 'StorageBlob'
            properties: { resourceId: storageAccountId, blobContainerName: 'dead-letters' }
          }
        }
      : null
  }
}
