using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads the autoencoder of a latent pipeline of diffusers: its <c>config.json</c> and the weights beside it.</summary>
internal static class AutoencoderFolder
{
    // Attention's names in 2022.
    private static readonly (string Now, string Before)[] OlderNames =
        [(".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value."), (".to_out.0.", ".proj_attn.")];

    /// <summary>Whether a folder is that of an autoencoder itself.</summary>
    public static bool IsOne(string folder) => Path.Combine(folder, DiffusersPipeline.ConfigName) is var path && File.Exists(path)
        && JsonFile.ReadPython(path).TryGetValue("_class_name", out var name) && name.ValueEquals(AutoencoderConfig.Class);

    /// <summary>What the configuration in a folder says.</summary>
    public static AutoencoderKlOptions Options(string folder) => AutoencoderConfig.Read(Path.Combine(folder, DiffusersPipeline.ConfigName));

    /// <summary>Reads the autoencoder of latents of a shape; refuses that of others.</summary>
    /// <inheritdoc cref="Read"/>
    public static Autoencoder For(
        ImageShape latents, string folder, string? variant = null, LatentScaling? scaling = null, IPartWeights? weights = null)
    {
        var autoencoder = Read(folder, variant, scaling, weights);
        try
        {
            autoencoder.ImagesOf(latents);
            return autoencoder;
        }
        catch
        {
            autoencoder.Dispose();
            throw;
        }
    }

    /// <param name="folder">The folder of the autoencoder itself.</param>
    /// <param name="variant">Of the weights, e.g. <c>fp16</c>, where there are such; null is the usual one.</param>
    /// <param name="scaling">Of the latents, where that is not the autoencoder's own.</param>
    /// <param name="weights">That lie elsewhere; null (default) for those in the folder.</param>
    /// <returns>The autoencoder; the caller owns it.</returns>
    public static Autoencoder Read(
        string folder, string? variant = null, LatentScaling? scaling = null, IPartWeights? weights = null)
    {
        var options = Options(folder);
        weights ??= DiffusersWeights.FindLike(folder, variant);
        var network = new AutoencoderKl(options);
        try
        {
            using var tensors = weights.Read(network.Layout);
            List<ForeignWeight> map =
                [.. network.Layout.Specs.Select(spec => new ForeignWeight(spec.Name, spec.Shape, [NameOf(spec, tensors)]))];
            var flat = ForeignWeights.Flatten(network.Layout, network.Buffers, map, tensors, weights.Path);
            return new Autoencoder(options, network, flat)
            {
                Scaling = scaling,
                Hash = Sha256.Of(JsonSerializer.Serialize(options, JsonFile.Options) + weights.Hash
                    + (scaling is null ? "" : JsonSerializer.Serialize(scaling, JsonFile.Options))),
            };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static string NameOf(ParameterSpec spec, TensorsByName tensors)
    {
        if (!tensors.ContainsKey(spec.Name) && Array.Find(OlderNames, n => spec.Name.Contains(n.Now, StringComparison.Ordinal)) is
            { Before: not null } older)
        {
            string before = spec.Name.Replace(older.Now, older.Before, StringComparison.Ordinal);
            return tensors.ContainsKey(before) ? before : spec.Name;
        }

        return spec.Name;
    }
}
