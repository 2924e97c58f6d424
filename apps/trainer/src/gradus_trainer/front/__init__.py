"""HTTP: routes, tokens, problems; nothing here touches a tensor."""
