// The OpenStack plugin of the lab: the Terraform provider that @pulumi/openstack 3.15.2 is made from, bridged for the
// resources and functions which this project uses. With the argument "names" it prints the names of all their
// properties, for the test that compares them with the SDK.
package main

import (
	"encoding/json"
	"os"
	"sort"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/openstack"
)

const version = "3.15.2"

// member is the SDK's token of a resource or function: openstack:<module>/<file>:<Name>.
func member(module, name string) string {
	return "openstack:" + module + "/" + strings.ToLower(name[:1]) + name[1:] + ":" + name
}

func resource(module, name string) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Tok: tokens.Type(member(module, name))}
}

func function(module, name string) *tfbridge.DataSourceInfo {
	return &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(member(module, name))}
}

func provider() tfbridge.ProviderInfo {
	subnet := resource("networking", "Subnet")
	// The SDK gives the plain name to the newer of two Terraform fields.
	subnet.Fields = map[string]*tfbridge.SchemaInfo{
		"allocation_pool":  {Name: "allocationPools"},
		"allocation_pools": {Name: "allocationPoolsCollection"},
	}
	info := tfbridge.ProviderInfo{
		P:       sdkv2.NewProvider(openstack.Provider()),
		Name:    "openstack",
		Version: version,
		Resources: map[string]*tfbridge.ResourceInfo{
			"openstack_networking_network_v2":              resource("networking", "Network"),
			"openstack_networking_subnet_v2":               subnet,
			"openstack_networking_router_v2":               resource("networking", "Router"),
			"openstack_networking_router_interface_v2":     resource("networking", "RouterInterface"),
			"openstack_networking_router_route_v2":         resource("networking", "RouterRoute"),
			"openstack_networking_port_v2":                 resource("networking", "Port"),
			"openstack_networking_floatingip_v2":           resource("networking", "FloatingIp"),
			"openstack_networking_floatingip_associate_v2": resource("networking", "FloatingIpAssociate"),
			"openstack_networking_secgroup_v2":             resource("networking", "SecGroup"),
			"openstack_networking_secgroup_rule_v2":        resource("networking", "SecGroupRule"),
			"openstack_compute_instance_v2":                resource("compute", "Instance"),
			"openstack_compute_keypair_v2":                 resource("compute", "Keypair"),
			"openstack_compute_servergroup_v2":             resource("compute", "ServerGroup"),
			"openstack_lb_loadbalancer_v2":                 resource("loadbalancer", "LoadBalancer"),
			"openstack_lb_listener_v2":                     resource("loadbalancer", "Listener"),
			"openstack_lb_pool_v2":                         resource("loadbalancer", "Pool"),
			"openstack_lb_monitor_v2":                      resource("loadbalancer", "Monitor"),
			"openstack_lb_members_v2":                      resource("loadbalancer", "Members"),
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"openstack_networking_network_v2":  function("networking", "getNetwork"),
			"openstack_networking_subnet_v2":   function("networking", "getSubnet"),
			"openstack_networking_router_v2":   function("networking", "getRouter"),
			"openstack_images_image_v2":        function("images", "getImage"),
			"openstack_compute_flavor_v2":      function("compute", "getFlavor"),
			"openstack_identity_auth_scope_v3": function("identity", "getAuthScope"),
		},
	}
	info.SetAutonaming(255, "-")
	return info
}

// properties are the SDK's names of a schema's fields, a field of a nested object behind its parent's name and a dot.
type properties struct {
	Inputs  []string `json:"inputs"`
	Outputs []string `json:"outputs"`
	Secret  []string `json:"secret"`
}

// add collects the fields of a schema. Inside an input the SDK takes every field, also those that the cloud computes.
func (p *properties) add(prefix string, input bool, schema shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo) {
	schema.Range(func(key string, field shim.Schema) bool {
		if field.Removed() != "" {
			return true
		}
		name := prefix + tfbridge.TerraformToPulumiNameV2(key, schema, fields)
		isInput := input || prefix == "" && (field.Required() || field.Optional())
		p.Outputs = append(p.Outputs, name)
		if isInput {
			p.Inputs = append(p.Inputs, name)
		}
		if field.Sensitive() {
			p.Secret = append(p.Secret, name)
		}
		if nested, ok := field.Elem().(shim.Resource); ok {
			p.add(name+".", isInput, nested.Schema(), nil)
		}
		return true
	})
	for _, list := range [][]string{p.Inputs, p.Outputs, p.Secret} {
		sort.Strings(list)
	}
}

func names(info tfbridge.ProviderInfo) map[string]*properties {
	all := map[string]*properties{}
	collect := func(token string, schema shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo) {
		all[token] = &properties{Inputs: []string{}, Outputs: []string{}, Secret: []string{}}
		all[token].add("", false, schema, fields)
	}
	for key, res := range info.Resources {
		collect(string(res.Tok), info.P.ResourcesMap().Get(key).Schema(), res.Fields)
	}
	for key, source := range info.DataSources {
		collect(string(source.Tok), info.P.DataSourcesMap().Get(key).Schema(), source.Fields)
	}
	collect("pulumi:providers:openstack", info.P.Schema(), info.Config)
	return all
}

func main() {
	info := provider()
	if len(os.Args) > 1 && os.Args[1] == "names" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(names(info)); err != nil {
			panic(err)
		}
		return
	}
	tfbridge.Main("openstack", version, info, []byte(`{"name":"openstack","version":"`+version+`"}`))
}
