using FewStep.Checkpoints;

namespace FewStep.Metrics;

/// <summary>Mean and covariance of features in the file format that EDM's fid.py and pytorch-fid share: an <c>.npz</c> with <c>mu</c> [d]
/// and <c>sigma</c> [d,d], float64.</summary>
/// <remarks>Files written here say in three further arrays, which the other programs leave alone, of how many images and which, and by
/// which network; files of others do not.</remarks>
internal static class StatisticsFile
{
    /// <summary>How the names of such files end.</summary>
    public const string Extension = ".npz";

    private const string Mean = "mu", Covariance = "sigma", Count = "count", Images = "images_sha256", Extractor = "extractor_sha256";
    private const int HashLength = 64;

    /// <summary>Whether a NumPy file holds statistics, whatever else.</summary>
    public static bool Is(string path) => NpzFile.Names(path).Contains(Mean);

    /// <summary>Length d of a file's feature vectors, from its headers alone: a small zip can claim gigabytes of covariance.</summary>
    public static int Dimension(string path)
    {
        var names = NpzFile.Names(path);
        return names.Contains(Mean) && names.Contains(Covariance)
            && NpzFile.Shape(path, Mean) is [>= 1 and <= FeatureStatistics.MostDimensions and var d]
            && NpzFile.Shape(path, Covariance) is [var rows, var columns] && rows == d && columns == d
            ? (int)d
            : throw new InvalidInputException($"{path} holds no feature statistics: arrays 'mu' [d] and 'sigma' [d,d] are needed, d at "
                + $"most {FeatureStatistics.MostDimensions}. Make them from the images.");
    }

    /// <summary>Reads a file of this program, EDM or pytorch-fid, for images that will be measured on a network's features.</summary>
    public static FeatureReference Read(string path, IFeatureExtractor extractor)
    {
        if (Dimension(path) is var dimension && dimension != extractor.Dimension)
            throw Other($"{dimension} features, not {extractor.Dimension}");
        var read = Read(path);
        if (read.ExtractorHash is { } hash && hash != extractor.Hash)
        {
            read.Dispose();
            throw Other("features of other weights");
        }

        return read;
        InvalidInputException Other(string what)
            => new($"{path} holds statistics of {what} as {extractor.Name} needs; make them anew from the images.");
    }

    /// <summary>Reads a file of this program, EDM or pytorch-fid.</summary>
    public static FeatureReference Read(string path)
    {
        Dimension(path);
        var names = NpzFile.Names(path);
        string[] wanted = [Mean, Covariance, .. new[] { Count, Images, Extractor }.Where(names.Contains)];
        var arrays = NpzFile.Read(path, wanted);
        long? count = arrays.TryGetValue(Count, out var stored) ? stored.Values is long[] and [>= 2 and long n] ? n
            : throw Damaged(path, Count) : null;
        using var scope = NewDisposeScope();
        Tensor mean = Floating(arrays[Mean], path, Mean), covariance = Floating(arrays[Covariance], path, Covariance);
        string images = Hash(arrays, Images, path) ?? Sha256.OfFile(path);
        string? extractor = Hash(arrays, Extractor, path);
        try
        {
            return new FeatureReference(FeatureStatistics.FromMoments(count ?? 2, mean, covariance), null, count, images, extractor);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Writes a file that EDM and pytorch-fid read, whole or not at all. Equal content makes equal files.</summary>
    public static void Write(string path, FeatureReference reference)
    {
        using var scope = NewDisposeScope();
        NpzFile.Write(path, new Dictionary<string, NpyArray>
        {
            [Mean] = NpyArray.FromTensor(reference.Statistics.Mean()),
            [Covariance] = NpyArray.FromTensor(reference.Statistics.Covariance()),
            [Count] = new NpyArray(new[] { reference.Images!.Value }),
            [Images] = Text(reference.ImagesHash),
            [Extractor] = Text(reference.ExtractorHash!),
        });

        static NpyArray Text(string hash) => new(Encoding.ASCII.GetBytes(hash), hash.Length);
    }

    private static Tensor Floating(NpyArray array, string path, string name) => array.Values is double[] or float[]? array.ToTensor()
        : throw new InvalidInputException($"{path}: '{name}' must be float64 or float32 numbers.");

    private static string? Hash(IReadOnlyDictionary<string, NpyArray> arrays, string name, string path)
        => !arrays.TryGetValue(name, out var stored)
        ? null
        : stored.Values is byte[] { Length: HashLength } text && text.All(b => char.IsAsciiHexDigitLower((char)b))
            ? Encoding.ASCII.GetString(text)
            : throw Damaged(path, name);

    private static InvalidInputException Damaged(string path, string name) =>
        new($"{path} is damaged: '{name}' is not what is written there. Make the statistics anew from the images.");
}
