# Every interactive shell of the sandbox reads this file, so an empty /root has a good prompt too.
[ -z "$PS1" ] && return

PS1='\[\e[1;32m\]\u@\h\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '
shopt -s checkwinsize histappend

# History is written after each command: a terminal that ends suddenly loses none of it.
HISTCONTROL=ignoredups
HISTSIZE=5000
HISTFILESIZE=5000
PROMPT_COMMAND='history -a'

alias ls='ls --color=auto'
alias grep='grep --color=auto'
alias ip='ip -color=auto'
alias ll='ls -l'
