using System.Buffers.Binary;
using System.Text;

namespace FewStep.Runtime;

/// <summary>
/// Reads and relaxes the symbol-version requirements (<c>.gnu.version_r</c>) of a 64-bit little-endian ELF file held in memory.
/// </summary>
/// <remarks>Layout: the generic ELF ABI and the Linux Standard Base, "Symbol Versioning".</remarks>
public static class ElfVersionRequirements
{
    private const uint SectionTypeVersionNeed = 0x6ffffffe; // SHT_GNU_verneed
    private static ReadOnlySpan<byte> Magic => [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]; // class 64, little endian
    private const ushort FlagWeak = 2; // VER_FLG_WEAK

    /// <summary>Marks every requirement of <paramref name="version"/> weak, so that the dynamic linker only warns of its absence.</summary>
    /// <param name="elf">The whole file; changed in place.</param>
    /// <param name="version">Version name, e.g. <c>GLIBCXX_3.4.32</c>.</param>
    /// <returns>The number of entries that were changed: 0 where the file does not require that version, or requires it weakly already.</returns>
    /// <exception cref="InvalidDataException">The bytes are no 64-bit little-endian ELF file, or a table points outside of them.</exception>
    public static int Weaken(byte[] elf, string version)
    {
        ArgumentNullException.ThrowIfNull(elf);
        ArgumentException.ThrowIfNullOrEmpty(version);
        if (elf.Length < 64 || !elf.AsSpan(0, 6).SequenceEqual(Magic))
        {
            throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        }

        try
        {
            return WeakenChecked(elf, Encoding.ASCII.GetBytes(version));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("The ELF file's tables point outside of the file.", e);
        }
    }

    private static int WeakenChecked(byte[] elf, byte[] version)
    {
        int sectionTable = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(40)));
        int sectionSize = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(58));
        int sectionCount = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(60));
        int changed = 0;
        for (int s = 0; s < sectionCount; s++)
        {
            var section = elf.AsSpan(sectionTable + s * sectionSize, 64);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) != SectionTypeVersionNeed)
            {
                continue;
            }

            int offset = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(section[24..]));
            int link = checked((int)BinaryPrimitives.ReadUInt32LittleEndian(section[40..]));
            int needed = checked((int)BinaryPrimitives.ReadUInt32LittleEndian(section[44..]));
            var names = elf.AsSpan(sectionTable + link * sectionSize, 64);
            int nameTable = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(names[24..]));
            for (int n = 0; n < needed; n++)
            {
                int auxiliaries = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(offset + 2));
                int auxiliary = offset + checked((int)BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(offset + 8)));
                for (int a = 0; a < auxiliaries; a++)
                {
                    var flags = elf.AsSpan(auxiliary + 4, 2);
                    int name = nameTable + checked((int)BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(auxiliary + 8)));
                    ushort value = BinaryPrimitives.ReadUInt16LittleEndian(flags);
                    bool same = elf.AsSpan(name, version.Length).SequenceEqual(version) && elf[name + version.Length] == 0;
                    if (same && (value & FlagWeak) == 0)
                    {
                        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(value | FlagWeak));
                        changed++;
                    }

                    auxiliary += checked((int)BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(auxiliary + 12)));
                }

                offset += checked((int)BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(offset + 12)));
            }
        }

        return changed;
    }
}
