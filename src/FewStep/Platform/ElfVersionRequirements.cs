namespace FewStep.Platform;

/// <summary>Reads and relaxes the symbol-version requirements (<c>.gnu.version_r</c>) of a 64-bit little-endian ELF file in
/// memory.</summary>
/// <remarks>Layout: the generic ELF ABI and the Linux Standard Base, "Symbol Versioning".</remarks>
internal static class ElfVersionRequirements
{
    private const uint SectionTypeVersionNeed = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort FlagWeak = 2; // VER_FLG_WEAK

    /// <summary>Marks every requirement of <paramref name="version"/> weak, so that the dynamic linker only warns of its absence.</summary>
    public static int Weaken(byte[] elf, string version)
    {
        ArgumentNullException.ThrowIfNull(elf);
        ArgumentException.ThrowIfNullOrEmpty(version);
        using var stream = new MemoryStream(elf, writable: false);
        var file = ElfFile.Read(stream);
        byte[] wanted = Encoding.ASCII.GetBytes(version);
        try
        {
            return file.Sections.Where(s => s.Type == SectionTypeVersionNeed).Sum(s => Weaken(elf, s, file.Linked(s), wanted));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw ElfFile.Outside(e);
        }
    }

    private static int Weaken(byte[] elf, ElfSection section, byte[] names, byte[] version)
    {
        int changed = 0, offset = checked((int)section.Offset);
        for (uint n = 0; n < section.Info; n++)
        {
            int auxiliaries = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(offset + 2));
            int auxiliary = offset + Distance(elf, offset + 8);
            for (int a = 0; a < auxiliaries; a++)
            {
                var flags = elf.AsSpan(auxiliary + 4, 2);
                int name = Distance(elf, auxiliary + 8);
                ushort value = BinaryPrimitives.ReadUInt16LittleEndian(flags);
                bool same = names.AsSpan(name, version.Length).SequenceEqual(version) && names[name + version.Length] == 0;
                if (same && (value & FlagWeak) == 0)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(value | FlagWeak));
                    changed++;
                }

                auxiliary += Distance(elf, auxiliary + 12);
            }

            int next = Distance(elf, offset + 12);
            if (next == 0)
                break; // the last of the chain, whatever number the table claims

            offset += next;
        }

        return changed;
    }

    private static int Distance(byte[] elf, int at) => checked((int)BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(at)));
}
