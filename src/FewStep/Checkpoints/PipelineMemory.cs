namespace FewStep.Checkpoints;

/// <summary>The pipeline that the network of a model folder belongs to, which gives it autoencoder and text encoders: what
/// <c>config.json</c> says of it, with paths from the model's folder, or the same with whole paths.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PipelineMemory
{
    /// <summary>What a part is called that is no folder: of XL, what the empty prompt stands for.</summary>
    public const string EmptyPrompt = "empty_prompt", Autoencoder = "autoencoder";

    private const int LongestPath = 4096, MostLoras = 100;
    private const char Separator = '/'; // in files, on every system

    // What the system shows as files and folders is not on a disk.
    private static readonly string[] Devices = ["/dev", "/proc", "/sys"];

    /// <summary>The pipeline's folder, or that of an autoencoder.</summary>
    public required string Folder { get; init; }

    /// <summary>One file in latent-diffusion's names, whose autoencoder and text encoders count before the folder's; null for
    /// none.</summary>
    public string? File { get; init; }

    /// <summary>Variant of the folder's weights, where it has such; null for the usual one.</summary>
    public string? Variant { get; init; }

    /// <summary>LoRAs that are fused into the text encoders; null for none. The network has its own in its weights.</summary>
    public IReadOnlyList<LoraMemory>? Loras { get; init; }

    /// <summary>What tells each part from others.</summary>
    public required IReadOnlyDictionary<string, string> Parts { get; init; }

    /// <summary>Of whole paths the first that leads to nothing; null where all are there.</summary>
    [JsonIgnore]
    public string? Lost => !Directory.Exists(Folder) ? Folder
        : new[] { File }.Concat(Loras?.Select(lora => lora.File) ?? []).FirstOrDefault(
            path => path is not null && !System.IO.File.Exists(path));

    /// <summary>What is to be written into a model's folder: paths from there where both lie in one tree.</summary>
    public PipelineMemory From(string folder) => Guarded(folder, () =>
    {
        string from = RealPath.Of(folder);
        return Mapped(path => Between(from, path));
    });

    /// <summary>The same with whole paths, given the model's folder. Nothing that they name is opened.</summary>
    /// <exception cref="InvalidInputException">A path is one that is not followed.</exception>
    public PipelineMemory At(string folder) => Guarded(folder, () =>
    {
        string from = RealPath.Of(folder);
        return Loras is { } loras && (loras.Count > MostLoras || loras.Contains(null!))
            ? throw new InvalidInputException($"{folder} says that its pipeline has LoRAs, but not which. Fetch its files again.")
            : Mapped(path => Followed(from, path));
    });

    /// <summary>The first part that differs from those that are there; null where all are the same.</summary>
    public string? Changed(IReadOnlyDictionary<string, string> there)
        => Parts.Keys.Union(there.Keys).Order(StringComparer.Ordinal).FirstOrDefault(
            part => Parts.GetValueOrDefault(part) != there.GetValueOrDefault(part));

    /// <summary>The one name of a folder or of a file in one, links to it followed.</summary>
    public static string WholePath(string path) => Guarded(path, () => Directory.Exists(path) ? RealPath.Of(path)
        : Path.Combine(RealPath.Of(Path.GetDirectoryName(Path.GetFullPath(path))!), Path.GetFileName(path)));

    private PipelineMemory Mapped(Func<string, string> map) => this with
    {
        Folder = map(Folder),
        File = File is null ? null : map(File),
        Loras = Loras is null ? null : [.. Loras.Select(lora => lora with { File = map(lora.File) })],
    };

    private static T Guarded<T>(string path, Func<T> find)
    {
        try
        {
            return find();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ReadFailure.Of(path, e);
        }
    }

    private static string Between(string from, string to)
    {
        string relative = Path.GetRelativePath(from, to);
        bool inOneTree = Head(from) == Head(to) && !Path.IsPathRooted(relative);
        return inOneTree ? relative.Replace(Path.DirectorySeparatorChar, Separator) : to;
    }

    // Root and first folder: what have no more than the root in common do not move together.
    private static string Head(string path)
    {
        string root = Path.GetPathRoot(path)!;
        return root + path[root.Length..].Split(Path.DirectorySeparatorChar)[0];
    }

    private static string Followed(string from, string path)
    {
        // Two separators begin a share of a network or a device, which merely to look for tells somebody who asks.
        bool isElsewhere = path.Length is 0 or > LongestPath || path.Any(char.IsControl)
            || (path.Length > 1 && path[0] is '/' or '\\' && path[1] is '/' or '\\')
            || (Path.IsPathRooted(path) && !Path.IsPathFullyQualified(path));
        string full = isElsewhere ? "" : Path.GetFullPath(Path.Combine(from, path));
        if (isElsewhere || IsOfNetwork(from, full) || Devices.Any(device => full == device
            || full.StartsWith(device + Separator, StringComparison.Ordinal)))
        {
            throw new InvalidInputException($"{from} says that its network belongs to the pipeline {Printable.Text(path)}, which is no "
                + "folder of this machine's disks, so it is not looked for.");
        }

        return full;
    }

    private static bool IsOfNetwork(string from, string full) => OperatingSystem.IsWindows()
        && Path.GetPathRoot(full) is string root && root != Path.GetPathRoot(from)
        && (root.Length != @"C:\".Length || new DriveInfo(root).DriveType == DriveType.Network);
}

/// <summary>A LoRA that <see cref="PipelineMemory"/> names.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record LoraMemory
{
    public required string File { get; init; }
    public required double Scale { get; init; }
}
