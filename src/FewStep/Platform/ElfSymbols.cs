namespace FewStep.Platform;

/// <summary>The dynamic symbols of a shared library: what it must find elsewhere, and what it offers.</summary>
/// <remarks>Layout: the generic ELF ABI, "Symbol Table". Versions of symbols are not looked at.</remarks>
internal static class ElfSymbols
{
    private const uint SectionTypeRelocations = 4; // SHT_RELA
    private const uint SectionTypeDynamicSymbols = 11; // SHT_DYNSYM
    private const int EntryBytes = 24; // of both
    private const int BindingGlobal = 1, BindingWeak = 2, BindingUnique = 10;
    private const int VisibilityDefault = 0, VisibilityProtected = 3;

    /// <summary>Names that the library cannot be loaded without, and does not define. A name that no relocation uses is never looked
    /// for.</summary>
    public static HashSet<string> Required(string path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Visit(path, relocations: true, (name, binding, _, defined, used) =>
        {
            if (!defined && used && binding == BindingGlobal)
                names.Add(name);
        });
        return names;
    }

    /// <summary>Takes the names that a library offers from those that are wanted.</summary>
    public static void RemoveOffered(string path, HashSet<string> wanted)
        => Visit(path, relocations: false, (name, binding, visibility, defined, _) =>
    {
        if (defined && binding is BindingGlobal or BindingWeak or BindingUnique && visibility is VisibilityDefault or VisibilityProtected)
            wanted.Remove(name);
    });

    private static void Visit(string path, bool relocations, Action<string, int, int, bool, bool> symbol)
    {
        using var stream = File.OpenRead(path);
        var file = ElfFile.Read(stream);
        var tables = file.Sections.Where(s => s.Type == SectionTypeDynamicSymbols).ToList();
        if (tables.Count == 0)
            throw new InvalidDataException("The ELF file has no table of dynamic symbols.");
        var used = file.Sections.Where(s => relocations && s.Type == SectionTypeRelocations).SelectMany(s => Used(file.Content(s)))
            .ToHashSet();
        foreach (var table in tables)
        {
            byte[] names = file.Linked(table), symbols = file.Content(table);
            for (int at = EntryBytes; at + EntryBytes <= symbols.Length; at += EntryBytes) // the first entry stands for "none"
            {
                var entry = symbols.AsSpan(at, EntryBytes);
                symbol(Name(names, BinaryPrimitives.ReadUInt32LittleEndian(entry)), entry[4] >> 4, entry[5] & 3,
                    BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]) != 0, used.Contains((uint)(at / EntryBytes)));
            }
        }
    }

    // A relocation's symbol is the upper half of its second word.
    private static IEnumerable<uint> Used(byte[] relocations)
    {
        for (int at = 0; at + EntryBytes <= relocations.Length; at += EntryBytes)
            yield return BinaryPrimitives.ReadUInt32LittleEndian(relocations.AsSpan(at + 12));
    }

    private static string Name(byte[] names, uint at)
    {
        var rest = at < (uint)names.Length ? names.AsSpan((int)at) : throw ElfFile.Outside();
        int end = rest.IndexOf((byte)0);
        return end >= 0 ? Encoding.UTF8.GetString(rest[..end]) : throw ElfFile.Outside();
    }
}
