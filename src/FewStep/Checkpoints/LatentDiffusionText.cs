using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>A text encoder of one file in latent-diffusion's names, where it lies in transformers' names or in OpenCLIP's.</summary>
internal sealed class LatentDiffusionText(string path, string? section, string prefix, Lazy<string> hash)
    : LatentDiffusionPart(path, section, prefix, hash)
{
    private const string Model = "text_model.", Layers = "encoder.layers.", Projection = "text_projection.weight",
        FirstNorm = ".layer_norm1.weight";

    /// <summary>Where text encoders lie, and the folders of a pipeline that would hold them.</summary>
    public static IReadOnlyList<(string Prefix, string Folder)> Places { get; } =
    [
        ("cond_stage_model.transformer.", "text_encoder"), ("cond_stage_model.model.", "text_encoder"),
        ("conditioner.embedders.0.transformer.", "text_encoder"), ("conditioner.embedders.1.model.", "text_encoder_2"),
    ];

    // Of a whole CLIP; the mask is that of every causal encoder.
    private static readonly string[] OfNoUse = ["logit_scale", "attn_mask"];

    private static readonly (string There, string Here)[] Whole =
    [
        ("token_embedding.weight", "embeddings.token_embedding.weight"), ("positional_embedding", "embeddings.position_embedding.weight"),
        ("ln_final.weight", "final_layer_norm.weight"), ("ln_final.bias", "final_layer_norm.bias"),
    ];

    private static readonly Dictionary<string, string> OfLayer = new(StringComparer.Ordinal)
    {
        ["ln_1"] = "layer_norm1",
        ["ln_2"] = "layer_norm2",
        ["attn.out_proj"] = "self_attn.out_proj",
        ["mlp.c_fc"] = "mlp.fc1",
        ["mlp.c_proj"] = "mlp.fc2",
    };

    private readonly bool _isOpenClip = prefix.EndsWith("model.", StringComparison.Ordinal);

    /// <summary>Whether a name, without the prefix, is one of a text encoder.</summary>
    public bool Knows(string name) => OfNoUse.Contains(name) || NamesOf(name).Length > 0;

    protected override IEnumerable<(string Name, Tensor Tensor)> Renamed(IReadOnlyDictionary<string, Tensor> tensors,
        ParameterLayout layout)
    {
        string[] known = [.. layout.Specs.Select(spec => spec.Name)];
        bool projects = known.Contains(Projection);

        // Stable Diffusion 2 takes the state before the last layer, which its files hold all the same.
        string? unused = projects || !_isOpenClip ? null
            : InvariantText.Of($"{Model}{Layers}{known.Count(name => name.EndsWith(FirstNorm, StringComparison.Ordinal))}.");
        foreach (var (there, tensor) in tensors.Where(t => !OfNoUse.Contains(t.Key)))
        {
            string[] names = NamesOf(there);
            if (names.Length == 0)
                yield return (there, tensor);
            foreach (var (name, part) in names.Zip(names.Length < 2 || tensor.Dimensions == 0 ? [tensor] : tensor.chunk(names.Length, 0)))
            {
                bool isUnused = (name == Projection && !projects)
                    || (unused is not null && name.StartsWith(unused, StringComparison.Ordinal));
                if (!isUnused)
                    yield return (name, there == "text_projection" && part.Dimensions == 2 ? part.t().contiguous() : part); // x P there
            }
        }
    }

    // In transformers' names, of query, key and value three; none for what is not known.
    private string[] NamesOf(string name)
    {
        if (name is "text_projection" or Projection)
            return [Projection];
        if (!_isOpenClip)
        {
            string bare = name.StartsWith(Model, StringComparison.Ordinal) ? name[Model.Length..] : name;
            return bare.StartsWith("embeddings.", StringComparison.Ordinal) || bare.StartsWith(Layers, StringComparison.Ordinal)
                || bare.StartsWith("final_layer_norm.", StringComparison.Ordinal) ? [Model + bare] : [];
        }

        if (Array.Find(Whole, w => w.There == name) is { Here: { } here })
            return [Model + here];
        if (name.Split('.', 4) is not ["transformer", "resblocks", var layer, var rest])
            return [];
        string at = $"{Model}{Layers}{layer}.";
        if (rest is "attn.in_proj_weight" or "attn.in_proj_bias")
            return [.. "qkv".Select(part => $"{at}self_attn.{part}_proj.{rest[(rest.LastIndexOf('_') + 1)..]}")];
        int dot = rest.LastIndexOf('.');
        return dot > 0 && OfLayer.TryGetValue(rest[..dot], out string? module) ? [$"{at}{module}{rest[dot..]}"] : [];
    }
}
