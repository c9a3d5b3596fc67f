"""The gateways on Azure Resource Manager: the only code that sends requests to Azure."""
