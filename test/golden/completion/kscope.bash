# bash completion for kscope and its tools

_kscope_words() {
	local word
	for word in "$@"; do
		[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
	done
}

# Words after the last comma; those before it stay.
_kscope_list() {
	local before=
	if [[ $cur == *,* ]]; then
		before=${cur%,*},
		cur=${cur##*,}
	fi
	_kscope_words "$@"
	COMPREPLY=("${COMPREPLY[@]/#/$before}")
	compopt -o nospace 2>/dev/null
}

_kscope_path() {
	local line
	compopt -o filenames 2>/dev/null
	while IFS= read -r line; do
		COMPREPLY+=("$line")
	done < <(compgen "$1" -- "$cur")
}

_kscope_users() {
	local line
	while IFS= read -r line; do
		COMPREPLY+=("$line")
	done < <(compgen -u -- "$cur")
}

_kscope_pids() {
	local path
	for path in /proc/[0-9]*; do
		_kscope_words "${path#/proc/}"
	done
}

_kscope_of_rows() {
	case $prev in
	-n | --rows)
		:
		return
		;;
	--record)
		_kscope_path -f
		return
		;;
	--fields)
		_kscope_list time pid comm fd error path
		return
		;;
	--time)
		_kscope_words clock rfc3339 unix relative
		return
		;;
	--duration)
		:
		return
		;;
	--buffer-size)
		:
		return
		;;
	--stats-interval)
		:
		return
		;;
	--ready-fd)
		:
		return
		;;
	--btf)
		_kscope_path -f
		return
		;;
	esac
	_kscope_words -n --rows -x --failed -g --good -T --timestamp --json --view --record --fields --time --utc --duration --buffer-size --stats --stats-interval --ready-fd --btf -v --verbose -h --help -V --version
}

_kscope_of_odd-tool() {
	case $prev in
	--odd)
		_kscope_words plain 'two words' 'it'\''s' '$HOME' '`x`' a:b '*'
		return
		;;
	-p | --pid)
		_kscope_pids
		return
		;;
	--user)
		_kscope_users
		return
		;;
	--place)
		_kscope_path -d
		return
		;;
	-n | --rows)
		:
		return
		;;
	--record)
		_kscope_path -f
		return
		;;
	--fields)
		_kscope_list time pid comm fd error path
		return
		;;
	--time)
		_kscope_words clock rfc3339 unix relative
		return
		;;
	--duration)
		:
		return
		;;
	--buffer-size)
		:
		return
		;;
	--stats-interval)
		:
		return
		;;
	--ready-fd)
		:
		return
		;;
	--btf)
		_kscope_path -f
		return
		;;
	esac
	_kscope_words --odd -p --pid --user --place -n --rows -x --failed -g --good -T --timestamp --json --view --record --fields --time --utc --duration --buffer-size --stats --stats-interval --ready-fd --btf -v --verbose -h --help -V --version
}

_kscope_of_three-rows() {
	case $prev in
	-n | --rows)
		:
		return
		;;
	--record)
		_kscope_path -f
		return
		;;
	--fields)
		_kscope_list time pid comm fd error path
		return
		;;
	--time)
		_kscope_words clock rfc3339 unix relative
		return
		;;
	--duration)
		:
		return
		;;
	--buffer-size)
		:
		return
		;;
	--stats-interval)
		:
		return
		;;
	--ready-fd)
		:
		return
		;;
	--btf)
		_kscope_path -f
		return
		;;
	esac
	_kscope_words -n --rows -x --failed -g --good -T --timestamp --json --view --record --fields --time --utc --duration --buffer-size --stats --stats-interval --ready-fd --btf -v --verbose -h --help -V --version
}

_kscope_of_kscope_list() {
	case $prev in

	esac
	_kscope_words --json -h --help
}

_kscope_of_kscope_doctor() {
	case $prev in

	esac
	_kscope_words --json -h --help
}

_kscope_of_kscope_view() {
	case $prev in
	--fields)
		:
		return
		;;
	--time)
		_kscope_words clock rfc3339 unix relative
		return
		;;
	--speed)
		:
		return
		;;
	esac
	if (($1 == 0)); then
		_kscope_path -f
	fi
	_kscope_words --fields --time --utc --text --speed -v --verbose -h --help
}

_kscope_of_kscope_schema() {
	case $prev in

	esac
	if (($1 == 0)); then
		_kscope_words odd-tool rows three-rows
	fi
	_kscope_words -h --help
}

_kscope_of_kscope_types() {
	case $prev in

	esac
	if (($1 == 0)); then
		_kscope_path -f
	fi
	_kscope_words -h --help
}

_kscope_of_kscope_completion() {
	case $prev in

	esac
	if (($1 == 0)); then
		_kscope_words bash zsh fish
	fi
	_kscope_words -h --help
}

_kscope_of_kscope_help() {
	case $prev in

	esac
	if (($1 == 0)); then
		_kscope_words completion doctor help list odd-tool rows schema three-rows types view
	fi
	_kscope_words -h --help
}

_kscope() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} name=${COMP_WORDS[0]##*/} position=1 glued=
	COMPREPLY=()
	# '--option=value' is three words, or one if '=' breaks no words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == --*=* ]]; then
		prev=${cur%%=*}
		glued=$prev=
		cur=${cur#*=}
	fi
	if [[ $name == kscope ]]; then
		if ((COMP_CWORD == 1)); then
			_kscope_words completion doctor help list odd-tool rows schema three-rows types view -h --help -V --version
			return
		fi
		position=2
		name=${COMP_WORDS[1]}
		case $name in
		list | doctor | view | schema | types | completion | help) name=kscope_$name ;;
		esac
	fi
	if declare -F "_kscope_of_$name" >/dev/null; then
		"_kscope_of_$name" $((COMP_CWORD - position))
	fi
	[[ -n $glued ]] && COMPREPLY=("${COMPREPLY[@]/#/$glued}")
	return 0
}

complete -F _kscope kscope rows odd-tool three-rows
