using FewStep.Data;

namespace FewStep.Text;

/// <summary>Images whose labels are the prompts that they are of.</summary>
internal sealed class CaptionedImageSet : IImageSet, INamedImages
{
    private readonly IImageSet _images;
    private readonly int[] _prompts;

    private CaptionedImageSet(IImageSet images, IReadOnlyList<string> names, int[] prompts, int count)
    {
        (_images, Names, _prompts, Classes) = (images, names, prompts, count);
        Hash = Sha256.Of($"{images.Hash}\nof prompts\n{string.Join(',', prompts)}");
    }

    public ImageShape Shape => _images.Shape;
    public int Count => _images.Count;

    /// <summary>Number of prompts, of which some may have no image here.</summary>
    public int Classes { get; }

    /// <summary>SHA-256 over the images' and the prompts that they are of.</summary>
    public string Hash { get; }

    public IReadOnlyList<string> Names { get; }

    /// <summary>Finds each image among those that prompts are captions of, by its name without extension: by its path, or by the last part
    /// of it.</summary>
    /// <param name="images">Not disposed.</param>
    /// <param name="captioned">Names of the images that the prompts are of, in their order; null where they are captions of
    /// nothing.</param>
    /// <returns>Null where no image is among them.</returns>
    /// <exception cref="InvalidInputException">Some images are among them and others are not, or two would have one caption.</exception>
    public static CaptionedImageSet? Pair(IImageSet images, IReadOnlyList<string>? captioned)
    {
        if (captioned is null || images is not INamedImages { Names: var names })
            return null;
        Dictionary<string, int> paths = Places(captioned, Stem), files = Places(captioned, name => Stem(Path.GetFileName(name)));
        int[] prompts = [.. names.Select(name => paths.TryGetValue(Stem(name), out int place) ? place
            : files.GetValueOrDefault(Stem(Path.GetFileName(name)), None))];
        if (prompts.All(prompt => prompt == None))
            return null;
        int lost = Array.FindIndex(prompts, prompt => prompt < 0);
        if (lost >= 0)
        {
            string why = prompts[lost] == None ? "is none of the images that the prompts are captions of, though others are"
                : "has the name of several images that the prompts are captions of";
            throw new InvalidInputException(
                $"The image '{EntryName.Shown(names[lost])}' {why}. Give each image one caption, or take it out.");
        }

        var seen = new Dictionary<int, int>();
        for (int i = 0; i < prompts.Length; i++)
        {
            if (!seen.TryAdd(prompts[i], i))
            {
                string other = names[seen[prompts[i]]];
                throw new InvalidInputException($"The images '{EntryName.Shown(other)}' and '{EntryName.Shown(names[i])}' would both be of "
                    + $"the caption of '{EntryName.Shown(captioned[prompts[i]])}'. Give each a name of its own.");
            }
        }

        return new CaptionedImageSet(images, names, prompts, captioned.Count);
    }

    public int Label(int index) => _prompts[index];

    public void Read(int index, Span<byte> destination) => _images.Read(index, destination);

    public void Dispose()
    {
        // The images are their owner's.
    }

    private const int None = -1, Several = -2;

    private static Dictionary<string, int> Places(IReadOnlyList<string> names, Func<string, string> key)
    {
        var places = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        for (int i = 0; i < names.Count; i++)
        {
            string name = key(names[i]);
            places[name] = places.ContainsKey(name) ? Several : i;
        }

        return places;
    }

    private static string Stem(string name) => name[..^Path.GetExtension(name).Length];
}
