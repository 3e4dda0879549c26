/**
 * Writes the small WSDL that the `soap` package needs, from our two tables.
 * Rule: every scalar is declared a string, so that our decoder, which knows the real type, is the only one that converts
 * (the package parses 64-bit numbers lossily). Never a file of VMware's: their WSDL is not ours to ship.
 */

import { type TypeEntry, typesTable } from './data-table.ts';
import { methodsTable } from './method-table.ts';
import { fieldType, type MethodName, methodEntry } from './shapes.ts';

const scalars = new Set(['string', 'int', 'long', 'boolean', 'dateTime']);

function xsdType(name: string): string {
  if (name === 'any') return 'xsd:anyType';
  if (name === 'ref') return 'vim:ManagedObjectReference';
  return scalars.has(name) ? 'xsd:string' : `vim:${name}`;
}

function element(name: string, type: string): string {
  const field = fieldType(type);
  const occurs = `${field.optional ? ' minOccurs="0"' : ''}${field.list ? ' maxOccurs="unbounded"' : ''}`;
  return `<xsd:element name="${name}" type="${xsdType(field.name)}"${occurs}/>`;
}

const sequence = (fields: readonly [string, string][]): string =>
  `<xsd:sequence>${fields.map(([name, type]) => element(name, type)).join('')}</xsd:sequence>`;

function complexType([name, entry]: [string, TypeEntry]): string {
  const body = sequence(Object.entries(entry.fields));
  const inner = entry.base
    ? `<xsd:complexContent><xsd:extension base="vim:${entry.base}">${body}</xsd:extension></xsd:complexContent>`
    : body;
  return `<xsd:complexType name="${name}">${inner}</xsd:complexType>`;
}

function methodElements(name: MethodName): string {
  const { args, returns } = methodEntry(name);
  const request = sequence([['_this', 'ref'], ...Object.entries(args)]);
  const response = sequence(returns === 'void' ? [] : [['returnval', returns]]);
  return (
    `<xsd:element name="${name}"><xsd:complexType>${request}</xsd:complexType></xsd:element>` +
    `<xsd:element name="${name}Response"><xsd:complexType>${response}</xsd:complexType></xsd:element>`
  );
}

const message = (name: string): string =>
  `<message name="${name}Request"><part name="parameters" element="vim:${name}"/></message>` +
  `<message name="${name}Response"><part name="parameters" element="vim:${name}Response"/></message>`;

const operation = (name: string): string =>
  `<operation name="${name}"><input message="vim:${name}Request"/><output message="vim:${name}Response"/></operation>`;

const binding = (name: string): string =>
  `<operation name="${name}"><soap:operation soapAction="urn:vim25" style="document"/>` +
  '<input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>';

/** @param endpoint the SDK address, `https://vcenter/sdk`. */
export function writeWsdl(endpoint: string): string {
  const names = Object.keys(methodsTable) as MethodName[];
  const reference =
    '<xsd:complexType name="ManagedObjectReference"><xsd:simpleContent><xsd:extension base="xsd:string">' +
    '<xsd:attribute name="type" type="xsd:string"/></xsd:extension></xsd:simpleContent></xsd:complexType>';
  const schema =
    '<xsd:schema targetNamespace="urn:vim25" elementFormDefault="qualified">' +
    `${reference}${Object.entries(typesTable).map(complexType).join('')}${names.map(methodElements).join('')}</xsd:schema>`;
  return (
    '<?xml version="1.0" encoding="UTF-8"?><definitions name="Vim" targetNamespace="urn:vim25" xmlns:vim="urn:vim25" ' +
    'xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" ' +
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema">' +
    `<types>${schema}</types>${names.map(message).join('')}` +
    `<portType name="VimPort">${names.map(operation).join('')}</portType>` +
    '<binding name="VimBinding" type="vim:VimPort"><soap:binding style="document" ' +
    `transport="http://schemas.xmlsoap.org/soap/http"/>${names.map(binding).join('')}</binding>` +
    `<service name="VimService"><port name="VimPort" binding="vim:VimBinding"><soap:address location="${endpoint.replaceAll('&', '&amp;')}"/>` +
    '</port></service></definitions>'
  );
}
