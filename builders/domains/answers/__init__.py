"""The answers domain: questions of fact with right and wrong answers, and steps that give a row a wrong one."""
