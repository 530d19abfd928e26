"""Who calls whom: values flow from where they are made to where they are called."""
