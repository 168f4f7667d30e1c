"""The strategies that sample orders, and how sure each makes one."""
