// The system topic of a subscription: every write in the subscription becomes an event.

param name string
param tags { *: string }

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  // Dead letters are written with this identity: the storage account accepts no keys.
  identity: { type: 'SystemAssigned' }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}
