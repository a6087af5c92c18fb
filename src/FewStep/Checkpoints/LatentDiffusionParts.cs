namespace FewStep.Checkpoints;

/// <summary>What one file in latent-diffusion's names holds beside its network.</summary>
/// <param name="Autoencoder">Null where it holds none.</param>
/// <param name="Texts">Text encoders by the folders of a pipeline that would hold them.</param>
/// <param name="Hash">SHA-256 of the file.</param>
internal sealed record LatentDiffusionParts(
    string Path, IPartWeights? Autoencoder, IReadOnlyDictionary<string, IPartWeights> Texts, Lazy<string> Hash)
{
    // Of the noise, which the pipeline's scheduler says too, and of training.
    private static readonly HashSet<string> OfNoUse = new(StringComparer.Ordinal)
    {
        "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
        "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
        "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2", "logvar", "denoiser.sigmas",
        "cond_stage_model.logit_scale", LatentDiffusionFile.PredictsV, LatentDiffusionFile.EndsWithoutSignal,
    };

    /// <summary>Whether it holds anything beside the network.</summary>
    public bool HasParts => Autoencoder is not null || Texts.Count > 0;

    /// <summary>Looks into a file for its parts alone.</summary>
    public static LatentDiffusionParts Of(string path)
    {
        var names = new List<string>();
        StateDictionary.Read(path, null, name =>
        {
            names.Add(name);
            return false;
        }).Dispose();
        return LatentDiffusionFile.PrefixOf(names) is string prefix ? Of(path, null, names, prefix)
            : throw new InvalidInputException($"{path} is no checkpoint of Stable Diffusion in one file, in latent-diffusion's names.");
    }

    /// <param name="section">Of the file, as <see cref="StateDictionary.Read"/> takes it.</param>
    /// <param name="names">All that the section holds.</param>
    /// <param name="network">What those of the network begin with.</param>
    public static LatentDiffusionParts Of(string path, string? section, IReadOnlyCollection<string> names, string network)
    {
        var hash = new Lazy<string>(() => Sha256.OfFile(path));
        bool Has(string prefix) => names.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));
        var places = LatentDiffusionText.Places.Where(place => Has(place.Prefix)).ToList();
        if (places.Select(place => place.Folder).Distinct().Count() < places.Count)
            throw new InvalidInputException($"{path} holds two text encoders for one place. Take one out, or give the file that it was.");
        var texts = places.ConvertAll(place => (place.Prefix, place.Folder, new LatentDiffusionText(path, section, place.Prefix, hash)));
        foreach (string name in names)
        {
            var (prefix, _, text) = texts.Find(t => name.StartsWith(t.Prefix, StringComparison.Ordinal));
            bool isKnown = text?.Knows(name[prefix.Length..]) ?? (OfNoUse.Contains(name)
                || new[] { network, LatentDiffusionFile.Averaged, LatentDiffusionAutoencoder.Prefix }.Any(
                    p => name.StartsWith(p, StringComparison.Ordinal)));
            if (!isKnown)
            {
                throw new InvalidInputException($"{path} holds {Printable.Text(name)}, which belongs neither to network, autoencoder and "
                    + "text encoders of Stable Diffusion nor to what its training leaves. Take it out, if the images do not depend on it.");
            }
        }

        return new(path, Has(LatentDiffusionAutoencoder.Prefix) ? new LatentDiffusionAutoencoder(path, section, hash) : null,
            texts.ToDictionary(t => t.Folder, t => (IPartWeights)t.Item3), hash);
    }

    /// <summary>The same without parts whose configuration a pipeline lacks, and a sentence on what comes from where.</summary>
    /// <param name="withNetwork">Whether the network is the file's too.</param>
    public (LatentDiffusionParts Parts, string Remark) In(DiffusersPipeline pipeline, bool withNetwork)
    {
        string[] described = [.. pipeline.Autoencoder is null ? [] : new[] { PipelineMemory.Autoencoder },
            .. LatentDiffusionText.Places.Select(place => place.Folder).Distinct().Where(folder
                => File.Exists(System.IO.Path.Combine(pipeline.Root, folder, DiffusersPipeline.ConfigName)))];
        string[] held = [.. Autoencoder is null ? [] : new[] { PipelineMemory.Autoencoder }, .. Texts.Keys.Order(StringComparer.Ordinal)];
        string[] own = [.. withNetwork ? new[] { "network" } : [], .. held.Intersect(described)], others = [.. described.Except(held)],
            unread = [.. held.Except(described)];
        string remark = $"Weights of {string.Join(", ", own)} are read from {Path}"
            + (others.Length == 0 ? "" : $", of {string.Join(", ", others)} from {pipeline.Root}")
            + (unread.Length == 0 ? "" : $"; its {string.Join(", ", unread)} not, as {pipeline.Root} does not describe such");
        var read = this with
        {
            Autoencoder = pipeline.Autoencoder is null ? null : Autoencoder,
            Texts = Texts.Where(text => described.Contains(text.Key)).ToDictionary(),
        };
        return own.Length > 0 ? (read, remark + ".") : throw new InvalidInputException(
            $"{Path} has neither autoencoder nor text encoders that {pipeline.Root} describes; leave it out.");
    }
}
