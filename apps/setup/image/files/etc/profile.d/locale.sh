# The image has one locale besides C: UTF-8 without a country.
export LANG=C.UTF-8 EDITOR=nano PAGER=less LESS=-R
