/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim completion SHELL`: a script for the shell, which asks `nlbsim completion words` what may
 * stand where the cursor is; so what it knows is what this program takes. */
#include <string.h>

#include "cli/cli.h"

/* bash breaks words at = and :, too: the words are those between blanks, and what stands before the
 * last = or : of a word is cut from the answers again. */
static const char bash_script[] =
    "# nlbsim completion for bash:  source <(nlbsim completion bash)\n"
    "_nlbsim() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words=() word help cut=\n"
    "    read -ra words <<<\"$line\"\n"
    "    case $line in *[[:blank:]]) words+=('') ;; esac\n"
    "    local last=${words[${#words[@]}-1]} value=\n"
    "    case $last in\n"
    "    --*=*) cut=${last%%=*}= value=${last#*=} ;;\n"
    "    *) value=$last ;;\n"
    "    esac\n"
    "    case $value in *:*) cut=${value%:*}: ;; *) cut= ;; esac\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r word help; do\n"
    "        case $word in\n"
    "        :file) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f "
    "-- \"$value\") ;;\n"
    "        :dir) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d "
    "-- \"$value\") ;;\n"
    "        :*) ;;\n"
    "        *) COMPREPLY+=(\"${word#\"$cut\"}\") ;;\n"
    "        esac\n"
    "    done < <(\"${words[0]}\" completion words \"${words[@]:1}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _nlbsim nlbsim\n";

static const char zsh_script[] =
    "#compdef nlbsim\n"
    "# nlbsim completion for zsh:  source <(nlbsim completion zsh)\n"
    "_nlbsim() {\n"
    "    local -a found described\n"
    "    local line word help kind=\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :*) kind=$line ;;\n"
    "        *)\n"
    "            word=${line%%$'\\t'*} help=${line#*$'\\t'}\n"
    "            found+=(\"$word\")\n"
    "            [[ $help == $line ]] && described+=(\"$word\") || described+=(\"$word -- "
    "$help\")\n"
    "            ;;\n"
    "        esac\n"
    "    done < <(\"${words[1]}\" completion words \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    [[ $PREFIX == --*=* ]] && compset -P '*='\n"
    "    (( $#found )) && compadd -l -d described -a found\n"
    "    case $kind in\n"
    "    :file) _files ;;\n"
    "    :dir) _files -/ ;;\n"
    "    esac\n"
    "}\n"
    "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"
    "compdef _nlbsim nlbsim\n";

static const char fish_script[] =
    "# nlbsim completion for fish:  nlbsim completion fish | source\n"
    "function __nlbsim_words\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l last $words[-1]\n"
    "    set -l before ''\n"
    "    if string match -q -- '--*=*' $last\n"
    "        set before (string replace -r '=.*' '=' -- $last)\n"
    "    end\n"
    "    $words[1] completion words $words[2..-1] 2>/dev/null | while read -l line\n"
    "        switch $line\n"
    "            case :file\n"
    "                __fish_complete_path (string replace -r '^--[^=]*=' '' -- $last) | string "
    "replace -r '^' -- $before\n"
    "            case :dir\n"
    "                __fish_complete_directories (string replace -r '^--[^=]*=' '' -- $last) | "
    "string replace -r '^' -- $before\n"
    "            case ':*'\n"
    "            case '*'\n"
    "                echo $before$line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c nlbsim -f -a '(__nlbsim_words)'\n";

static int completion_run(int argc, char **argv)
{
    struct command_line line = { 0 };
    int status;

    /* Not read as a command line: the words are one. */
    if (argc >= 2 && strcmp(argv[1], "words") == 0) {
        command_complete(command_root(), (size_t)(argc - 2), argv + 2, stdout);
        return 0;
    }
    status = command_read(&command_completion, argc, argv, &line);
    if (status >= 0)
        return status;
    if (strcmp(line.operands[0], "bash") == 0)
        fputs(bash_script, stdout);
    else if (strcmp(line.operands[0], "zsh") == 0)
        fputs(zsh_script, stdout);
    else if (strcmp(line.operands[0], "fish") == 0)
        fputs(fish_script, stdout);
    else
        return command_misused(&line, "no completion for '%s', only for bash, zsh and fish",
                               line.operands[0]);
    return 0;
}

static void shell_words(word_cb put, void *arg)
{
    put(arg, "bash", NULL);
    put(arg, "zsh", NULL);
    put(arg, "fish", NULL);
}

static const char *const completion_synopsis[] = { "bash|zsh|fish", "words [WORD...]", NULL };
static const char *const completion_examples[] = { "source <(nlbsim completion bash)",
                                                   "nlbsim completion fish | source",
                                                   "nlbsim completion words probe --w", NULL };

const struct command command_completion = {
    .name = "completion",
    .summary = "a script that completes verbs, options and values in bash, zsh or fish",
    .run = completion_run,
    .synopsis = completion_synopsis,
    .about = "Prints a script for the shell: source it, or put it where the shell looks "
             "(/etc/bash_completion.d/nlbsim, a file _nlbsim in zsh's $fpath, "
             "~/.config/fish/completions/nlbsim.fish). The script asks `nlbsim completion words` "
             "what may stand as the last of the words: a line each, with half a sentence behind a "
             "tab; then :file, :dir or :none for what the shell adds by itself.",
    .operand = "SHELL",
    .operand_kind = OPERAND_WORD,
    .operand_words_cb = shell_words,
    .min_operands = 1,
    .max_operands = 1,
    .examples = completion_examples,
};
