REVOKE ADMIN OPTION FOR "{unique}_g" FROM "{unique}_r";
