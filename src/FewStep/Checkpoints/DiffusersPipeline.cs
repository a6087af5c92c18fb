namespace FewStep.Checkpoints;

/// <summary>Where the parts of a pipeline of diffusers lie.</summary>
/// <param name="Root">Folder of the pipeline; that of the network where it lies alone.</param>
/// <param name="Network">Folder of the network.</param>
internal sealed record DiffusersPipeline(string Root, string Network)
{
    public const string ConfigName = "config.json";
    public const string IndexName = "model_index.json";

    private static readonly string[] SchedulerNames = [Path.Combine("scheduler", "scheduler_config.json"), "scheduler_config.json"];
    private static readonly string[] NetworkFolders = ["unet", "unet_ema", "transformer", "prior"];
    private static readonly string[] AutoencoderFolders = ["vae", "vqvae", "movq", "vqgan", "first_stage_model"];

    public string Config => Path.Combine(Network, ConfigName);

    /// <summary>Folder of the autoencoder; null where there is none.</summary>
    public string? Autoencoder
        => AutoencoderFolders.Select(part => Path.Combine(Root, part)).FirstOrDefault(part => File.Exists(Path.Combine(part, ConfigName)));

    /// <summary>Whether the empty prompt of a pipeline of Stable Diffusion XL stands for zeros.</summary>
    /// <param name="root">Folder of the pipeline.</param>
    public static bool EmptyPromptIsZero(string root)
    {
        string index = Path.Combine(root, IndexName);
        return !File.Exists(index) || !JsonFile.ReadPython(index).TryGetValue("force_zeros_for_empty_prompt", out var given)
            || given.ValueKind != JsonValueKind.False;
    }

    /// <summary>The scheduler's configuration; null where there is none.</summary>
    public string? Scheduler => SchedulerNames.Select(name => Path.Combine(Root, name)).FirstOrDefault(File.Exists);

    /// <summary>Name of the scheduler's configuration for messages.</summary>
    public static string SchedulerName => SchedulerNames[0];

    /// <summary>Whether a file has the name of a configuration that stands for its folder.</summary>
    public static bool IsConfiguration(string file) => Path.GetFileName(file) is ConfigName or IndexName;

    /// <summary>Whether a folder is one of diffusers: a pipeline, or a network whose configuration names a class or whose weights have
    /// diffusers' names.</summary>
    public static bool IsOne(string folder)
    {
        if (!Directory.Exists(folder))
            return false;
        string config = Path.Combine(folder, ConfigName);
        return NetworkIn(folder) is not null || File.Exists(Path.Combine(folder, IndexName))
            || DiffusersWeights.Are(folder) || (File.Exists(config) && JsonFile.ReadPython(config).ContainsKey("_class_name"));
    }

    /// <summary>Finds the parts, given the folder of the pipeline or of its network, and refuses what is no model of images.</summary>
    public static DiffusersPipeline Find(string folder)
    {
        var found = Locate(folder);
        found.RefuseOtherClass();
        found.RefuseOtherPipeline();
        return found;
    }

    /// <summary>Finds the parts, given the folder of the pipeline or of its network.</summary>
    public static DiffusersPipeline Locate(string folder)
    {
        string? network = NetworkIn(folder), above = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        bool isPart = network is null && !File.Exists(Path.Combine(folder, IndexName)) && above is not null
            && (File.Exists(Path.Combine(above, IndexName)) || File.Exists(Path.Combine(above, SchedulerNames[0])));
        return new DiffusersPipeline(isPart ? above! : folder, network ?? folder);
    }

    private static string? NetworkIn(string folder)
        => NetworkFolders.Select(name => Path.Combine(folder, name)).FirstOrDefault(part => File.Exists(Path.Combine(part, ConfigName)));

    /// <summary>The class that the network's configuration names; null where there is none.</summary>
    public string? NetworkClass => File.Exists(Config) ? OtherNetworks.ClassOf(JsonFile.ReadPython(Config)) : null;

    /// <summary>The classes of networks that are read, in words.</summary>
    public static string Read { get; } = $"{DiffusersConfig.Class}, {ConditionUNetConfig.Class}, "
        + $"{string.Join(", ", TransformerFolder.Classes.SkipLast(1))} and {TransformerFolder.Classes[^1]}";

    private void RefuseOtherClass()
    {
        if (NetworkClass is string name && name != DiffusersConfig.Class)
            throw new InvalidInputException($"{Config} describes {OtherNetworks.OfClass(name)}; read are {Read}.");
    }

    // A network of latents is no model of images, whatever its class.
    private void RefuseOtherPipeline()
    {
        string index = Path.Combine(Root, IndexName);
        var parts = File.Exists(index) ? JsonFile.ReadPython(index) : [];
        string pipeline = OtherNetworks.Text(parts, "_class_name") is string name ? Printable.Line(name, 60) : "no class named";
        var classes = parts.Where(part => part.Value.ValueKind == JsonValueKind.Array && part.Value.GetArrayLength() == 2)
            .Select(part => (Part: part.Key, Class: OtherNetworks.Text(part.Value[1])))
            .Where(part => part.Class is not null).ToList();
        string? autoencoder = classes.FirstOrDefault(part => OtherNetworks.IsAutoencoder(part.Class!)).Part
            ?? (Autoencoder is string folder ? Path.GetFileName(folder) : null);
        if (autoencoder is not null)
        {
            throw new InvalidInputException($"{Root} is a latent pipeline ({pipeline}, with an autoencoder in "
                + $"{Printable.Text(autoencoder)}): its network, a {DiffusersConfig.Class}, denoises latents, not images. Of latent "
                + "models are read those of text (Stable Diffusion) and transformers.");
        }
    }
}
