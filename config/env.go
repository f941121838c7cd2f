package config

import (
	"regexp"
	"slices"
	"strings"
)

const (
	envPrefix  = "GATEHOUSE_"
	fileSuffix = "_file"
)

// TokenVariable is where clients of a registry, gatehouse's own commands among them, find their token. It is no setting of a registry's.
const TokenVariable = "GATEHOUSE_TOKEN"

// envName is the variable of a key.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

// envLayer is what the environment says.
func (l *loader) envLayer() layer {
	out := layer{}
	for _, v := range l.variables() {
		name := strings.ReplaceAll(strings.ToLower(v.name[len(envPrefix):]), "__", ".")
		base, isFile := name, false
		if _, ok := l.find(name); !ok {
			base, isFile = strings.CutSuffix(name, fileSuffix)
		}
		k, ok := l.find(base)
		if !ok {
			l.unknownVariable(v.name, name)
			continue
		}
		if v.value == "" {
			continue
		}
		if before, ok := out[base]; ok {
			l.report(v.name, k.name+" is set by "+before.Where+" too; keep one of them")
			continue
		}
		s := setting{Text: v.value, Where: v.name}
		if isFile {
			s, ok = l.fromFile(k, v)
			if !ok {
				l.bad[base] = true
				continue
			}
		}
		out[base] = s
	}
	return out
}

type variable struct{ name, value string }

// variables are those of the environment that are ours, in the order of their names. Of equal names the
// first counts, as for os.Getenv.
func (l *loader) variables() []variable {
	var list []variable
	pod := slices.ContainsFunc(l.Environ, func(v string) bool { return strings.HasPrefix(v, "KUBERNETES_SERVICE_HOST=") })
	seen := map[string]bool{}
	for _, v := range l.Environ {
		name, value, _ := strings.Cut(v, "=")
		if len(name) <= len(envPrefix) || !strings.EqualFold(name[:len(envPrefix)], envPrefix) || strings.EqualFold(name, TokenVariable) || seen[name] {
			continue
		}
		seen[name] = true
		if pod && kubernetesMade(name, value) {
			continue
		}
		list = append(list, variable{name, value})
	}
	slices.SortStableFunc(list, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	return list
}

var (
	serviceVariable = regexp.MustCompile(`^GATEHOUSE_([A-Z0-9_]+_)?SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$`)
	portVariable    = regexp.MustCompile(`^GATEHOUSE_([A-Z0-9_]+_)?PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	portValue       = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// kubernetesMade reports whether a variable is one that Kubernetes gives every pod for a Service whose name starts
// with "gatehouse" (GATEHOUSE_SERVICE_HOST, GATEHOUSE_PORT=tcp://…). Nobody wrote it, so it is no mistake.
func kubernetesMade(name, value string) bool {
	if strings.Contains(name, "__") {
		return false
	}
	return serviceVariable.MatchString(name) || portVariable.MatchString(name) ||
		strings.HasSuffix(name, "_PORT") && portValue.MatchString(value)
}

// fromFile is the setting whose text is in the file that a _FILE variable names.
func (l *loader) fromFile(k key, v variable) (setting, bool) {
	data, err := readFile(l.inDir(v.value))
	if err != nil {
		l.report(v.name, k.name+" can't be read from "+v.value+": "+err.Error())
		return setting{}, false
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		l.report(v.name, k.name+" can't be read from "+v.value+": the file is empty")
		return setting{}, false
	}
	return setting{Text: text, Where: v.name, Hidden: true}, true
}

func (l *loader) unknownVariable(variable, name string) {
	if strings.TrimSuffix(name, fileSuffix) == configFlag {
		l.report(variable, "the configuration file is named by the flag --config only")
		return
	}
	if why := notYet(name); why != "" {
		l.report(variable, why)
		return
	}
	message := name + " is not a known key"
	base, isFile := strings.CutSuffix(name, fileSuffix)
	if near := nearest(base, near(names(l.schema), base)); near != "" {
		message += "; did you mean " + envName(near)
		if isFile {
			message += strings.ToUpper(fileSuffix)
		}
		message += "?"
	}
	l.report(variable, message)
}

// notYet is the sentence for a name in a section that a later version will have.
func notYet(name string) string {
	for section, why := range later {
		if folded := strings.ToLower(name); folded == section || strings.HasPrefix(folded, section+".") {
			return plain(name) + " can't be set: " + why
		}
	}
	return ""
}
