using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads the U-Net of a checkpoint of Stable Diffusion in one file, in the names of CompVis' latent-diffusion. How it is built and
/// was trained, its autoencoder and its text encoders are those of a diffusers pipeline of its kind.</summary>
internal static class LatentDiffusionFile
{
    private const string Averaged = "model_ema.";
    private const string First = "input_blocks.0.0.weight";

    // Of the whole, and of the network alone.
    private static readonly string[] Prefixes = ["model.diffusion_model.", "diffusion_model."];

    /// <summary>Whether tensors have these names.</summary>
    public static bool IsOne(TensorsByName tensors) => PrefixOf(tensors) is not null;

    /// <returns>The model; the caller owns it.</returns>
    public static ModelSource Read(string path, StateDictionary state, ModelReadOptions options)
    {
        string folder = HubCache.Snapshot(options.Pipeline ?? throw new InvalidInputException($"{path} is a checkpoint of latent diffusion "
            + "(Stable Diffusion and its kin) in one file. Give the folder of a diffusers pipeline of its kind as its pipeline: that says "
            + "how the network is built and was trained, and has autoencoder, text encoders and tokenizers."));
        var parts = DiffusersPipeline.Locate(folder);
        if (parts.NetworkClass != ConditionUNetConfig.Class)
            throw new InvalidInputException($"{folder} is no diffusers pipeline of Stable Diffusion 1, 2 or XL, of which {path} would be.");
        var source = ConditionUNetFolder.Read(new LatentPipeline(parts, options with { Pipeline = null, Section = null })
        { Whole = (path, Renamed(path, state.Tensors, parts)) });
        return source with
        {
            Config = source.Config with { Name = Path.GetFileNameWithoutExtension(path) },
            Format = "one file in the names of latent-diffusion",
            Remarks = [.. state.Remarks, .. Remarks(state.Tensors, folder), .. source.Remarks],
        };
    }

    private static string? PrefixOf(TensorsByName tensors) => Array.Find(Prefixes, prefix => tensors.ContainsKey(prefix + First));

    // In diffusers' names: those there differ, and have no inverse, so each of the network's is looked up.
    private static TensorsByName Renamed(string path, TensorsByName tensors, DiffusersPipeline parts)
    {
        string prefix = PrefixOf(tensors)!;
        var there = tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .GroupBy(entry => entry.Key[prefix.Length..].Replace('.', '_')).ToDictionary(group => group.Key, group => group.First());
        using var network = ((INetworkOptions)ConditionUNetConfig.Read(parts.Config)).Build();
        string[] specs = [.. network.Layout.Specs.Select(spec => spec.Name)];
        var names = new LatentDiffusionNames(specs.Select(Module));
        var renamed = new TensorsByName();
        foreach (string spec in specs)
        {
            string module = Module(spec);
            if (names.Of(module) is string other && there.Remove($"{other}_{spec[(module.Length + 1)..]}", out var found))
                renamed[spec] = found.Value.alias();
        }

        string? left = there.Values.Select(entry => entry.Key).FirstOrDefault();
        if (left is null)
            return renamed.Detached();
        renamed.Dispose();
        throw new InvalidInputException($"{path} holds {Printable.Text(left)}, for which the network of {parts.Root} has no place. Give "
            + "the folder of a pipeline of its kind.");
    }

    private static string Module(string parameter) => parameter[..parameter.LastIndexOf('.')];

    private static IEnumerable<string> Remarks(TensorsByName tensors, string folder)
    {
        bool Has(string part) => tensors.Keys.Any(name => name.StartsWith(part, StringComparison.Ordinal));
        if (Has("first_stage_model.") || Has("cond_stage_model.") || Has("conditioner."))
            yield return $"The file's own autoencoder and text encoders are not read; those of {folder} are taken.";
        if (Has(Averaged))
            yield return "The file holds a moving average too, which is not read.";
    }
}
